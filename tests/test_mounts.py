"""Which file system a path lies on."""

from __future__ import annotations

from pathlib import Path

import pytest

from workbench.mounts import FileSystem, file_system_of

LINES = """\
22 1 254:0 / / rw,relatime - ext4 /dev/vda rw
23 22 0:30 / {root}/home rw,relatime shared:7 master:2 - nfs4 server:/home rw,vers=4.2
24 23 0:31 / {root}/home/my\\040disk rw - xfs /dev/vdb rw
25 22 0:32 / {root}/scratch rw - tmpfs tmpfs rw
26 22 0:33 / {root}/scratch rw - lustre mds@tcp:/scratch rw
27 22 0:34 / {root}/home2 rw - fuse.sshfs me@there: rw
nonsense
"""


@pytest.fixture
def mounts(tmp_path: Path) -> Path:
    file = tmp_path / "mountinfo"
    file.write_text(LINES.format(root=tmp_path))
    return file


def test_the_longest_mount_point_counts(tmp_path: Path, mounts: Path) -> None:
    def kind(path: str) -> str:
        found = file_system_of(tmp_path / path, mounts)
        assert found is not None
        return found.kind

    assert kind("experiments.db") == "ext4"
    assert kind("home/me/experiments.db") == "nfs4"
    assert kind("home/my disk/experiments.db") == "xfs"
    assert kind("home/my disk 2/experiments.db") == "nfs4"
    assert kind("home2/x") == "fuse.sshfs"
    assert kind("scratch/x") == "lustre"  # mounted over another one
    (tmp_path / "scratch").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "scratch")
    assert kind("link/experiments.db") == "lustre"


@pytest.mark.parametrize(
    ("kind", "network"),
    [
        *((kind, True) for kind in ("nfs", "nfs4", "lustre", "gpfs", "wekafs", "beegfs", "ceph", "panfs")),
        *((kind, True) for kind in ("virtiofs", "cifs", "smb3", "9p", "CIFS", "fuse")),
        *((f"fuse.{kind}", True) for kind in ("sshfs", "glusterfs", "juicefs", "ceph-fuse", "of_tomorrow")),
        *((kind, False) for kind in ("ext4", "xfs", "btrfs", "zfs", "tmpfs", "overlay", "apfs", "fuseblk")),
        *((f"fuse.{kind}", False) for kind in ("mergerfs", "gocryptfs", "fuse-overlayfs")),
    ],
)
def test_kinds_of_networks(kind: str, network: bool) -> None:
    assert FileSystem(kind, Path("/")).is_network is network


def test_without_a_table_of_mounts_nothing_is_known(tmp_path: Path) -> None:
    assert file_system_of(tmp_path, tmp_path / "absent") is None
