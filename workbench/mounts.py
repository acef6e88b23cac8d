"""Which file system a path lies on, and whether other machines may see it too."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

MOUNTS = Path("/proc/self/mountinfo")
"""proc(5). Elsewhere than on Linux there is none, and no file system is known."""
_NETWORK = frozenset(
    (
        *("nfs", "nfs3", "nfs4", "cifs", "smb3", "smbfs", "ncpfs", "afs", "coda", "9p", "virtiofs", "vboxsf"),
        *("lustre", "gpfs", "beegfs", "ceph", "panfs", "wekafs", "glusterfs", "orangefs", "pvfs2", "gfs2"),
        *("ocfs2", "quobyte", "vastnfs", "prl_fs", "vmhgfs", "drvfs", "daos", "moosefs", "lizardfs"),
    )
)
_LOCAL_FUSE = frozenset(
    (
        *("fuse.ntfs-3g", "fuse.ntfs", "fuse.exfat", "fuse.ext2", "fuse.zfs", "fuse.apfs", "fuse.lxcfs"),
        *("fuse.bindfs", "fuse.mergerfs", "fuse.unionfs", "fuse.fuse-overlayfs", "fuse.overlayfs"),
        *("fuse.encfs", "fuse.gocryptfs", "fuse.cryfs", "fuse.securefs", "fuse.portal", "fuse.archivemount"),
    )
)
"""Of FUSE's file systems those that are on this machine; of the others that is not known."""
_OCTAL = re.compile(r"\\([0-7]{3})")


class FileSystem(NamedTuple):
    """`kind`: as the kernel calls it (`ext4`, `nfs4`, `fuse.sshfs`)."""

    kind: str
    mount_point: Path

    @property
    def is_network(self) -> bool:
        """Whether another machine may have it, too, as far as its kind tells."""
        kind = self.kind.lower()
        if kind == "fuse" or kind.startswith("fuse."):
            return kind not in _LOCAL_FUSE
        return kind in _NETWORK


def file_system_of(path: Path, mounts: Path | None = None) -> FileSystem | None:
    """The file system that a path lies on, or will; None: not known. Links are followed.

    mounts: a file like /proc/self/mountinfo, instead of that.
    """
    try:
        place = path.expanduser().resolve()
        lines = (mounts or MOUNTS).read_text(encoding="utf-8", errors="surrogateescape").splitlines()
    except (OSError, RuntimeError):
        return None
    nearest: FileSystem | None = None
    for line in lines:
        # "36 35 98:0 /root /mount/point options optional... - kind source options"
        before, _, after = line.partition(" - ")
        fields, kinds = before.split(" "), after.split(" ")
        if len(fields) < 5 or not kinds[0]:
            continue
        point = Path(_OCTAL.sub(lambda escaped: chr(int(escaped[1], 8)), fields[4]))
        # what is mounted later hides what was mounted there before
        if place.is_relative_to(point) and (
            nearest is None or len(point.parts) >= len(nearest.mount_point.parts)
        ):
            nearest = FileSystem(kinds[0], point)
    return nearest
