"""A real SSH server for the tests: on 127.0.0.1, for this user, with keys that are thrown away."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

SSHD = shutil.which("sshd", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
INSTALLED = SSHD is not None and shutil.which("ssh") is not None


class SshServer:
    """A server on a port of its own. `command` reaches it and asks for a terminal there."""

    def __init__(self, folder: Path) -> None:
        if os.geteuid() == 0:
            Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)  # sshd wants it when it runs as root
        folder.mkdir(mode=0o700)
        for name in ("host", "user"):
            generate = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / name)]
            subprocess.run(generate, check=True)
        shutil.copy(folder / "user.pub", folder / "authorized")
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        (folder / "sshd_config").write_text(
            f"Port {port}\nListenAddress 127.0.0.1\nHostKey {folder}/host\nPidFile {folder}/pid\n"
            f"AuthorizedKeysFile {folder}/authorized\nStrictModes no\nUsePAM no\nPermitRootLogin yes\n"
        )
        self._process = subprocess.Popen(
            [str(SSHD), "-D", "-e", "-f", str(folder / "sshd_config")],
            stderr=(folder / "log").open("w"),
            stdin=subprocess.DEVNULL,
        )
        options = f"-i {folder}/user -p {port} -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null"
        self.command = f"ssh -F none -q -tt {options} 127.0.0.1"

    def cut(self) -> None:
        """End every connection at once, as a network that goes away; the server goes on."""
        for session in psutil.Process(self._process.pid).children(recursive=False):
            session.kill()

    def close(self) -> None:
        """End the connections and the server."""
        self.cut()
        self._process.kill()
        self._process.wait()


@contextmanager
def ssh_server(folder: Path) -> Iterator[SshServer]:
    """A server whose files lie in `folder`, which is made."""
    server = SshServer(folder)
    try:
        yield server
    finally:
        server.close()
