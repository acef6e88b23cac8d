"""A real PostgreSQL server for tests: its own folder, port and password, ended by its process."""

from __future__ import annotations

import contextlib
import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

_START_SECONDS = 120.0
_TRIES = 5


def missing() -> str | None:
    """Why no server can be started here; None: one can."""
    try:
        import psycopg  # noqa: F401
    except ImportError:
        return "psycopg is not installed (the extra `postgres`)"
    return None if _programs() else "PostgreSQL's initdb and postgres are not installed"


def _programs() -> Path | None:
    """The newest version's folder of programs; Debian keeps it off the PATH."""
    found = shutil.which("initdb")
    if found and Path(found).with_name("postgres").exists():
        return Path(found).parent
    versions = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    return versions[-1].parent if versions else None


class Server:
    """One server on 127.0.0.1. `template`: a database that has the newest schema."""

    user = "tester"

    def __init__(self) -> None:
        programs = _programs()
        assert programs is not None
        self._programs = programs
        self.password = f"geheim-{secrets.token_hex(8)}"
        self.port = 0
        self._made = 0
        self._emptied: list[str] = []
        self._process: subprocess.Popen[bytes] | None = None
        # not in pytest's folder: that is closed to the user that a server started by root has to run as
        self._folder = Path(tempfile.mkdtemp(prefix="mlm-workbench-postgres-"))
        self._owner: Mapping[str, Any] = {}
        if os.geteuid() == 0:  # PostgreSQL refuses to run as root
            names = {entry.pw_name for entry in pwd.getpwall()}
            owner = pwd.getpwnam("postgres" if "postgres" in names else "nobody")
            os.chown(self._folder, owner.pw_uid, owner.pw_gid)
            self._owner = {"user": owner.pw_uid, "group": owner.pw_gid, "extra_groups": []}

    def initialise(self) -> None:
        """Make the server's files."""
        secret = self._folder / "password"
        secret.write_text(self.password, encoding="utf-8")
        if self._owner:
            os.chown(secret, self._owner["user"], self._owner["group"])
        command = [self._programs / "initdb", "-D", self._data, "-U", self.user, "--pwfile", secret]
        command += ["--auth=scram-sha-256", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync"]
        done = subprocess.run(
            command, capture_output=True, text=True, cwd=self._folder, **self._owner, timeout=_START_SECONDS
        )
        assert done.returncode == 0, done.stderr

    def start(self) -> None:
        """Start, on the same port as before; return when it answers."""
        for _ in range(_TRIES):
            port = self.port or _free_port()
            options = {
                "fsync": "off",
                "full_page_writes": "off",
                "autovacuum": "off",
                "max_connections": "200",
            }
            options |= {"listen_addresses": "127.0.0.1", "port": str(port), "unix_socket_directories": ""}
            command = [str(self._programs / "postgres"), "-D", str(self._data)]
            command += [word for name, value in options.items() for word in ("-c", f"{name}={value}")]
            with (self._folder / "log").open("ab") as log:
                self._process = subprocess.Popen(
                    command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self._folder, **self._owner
                )
            if self._answers(port):
                self.port = port
                return
        raise AssertionError((self._folder / "log").read_text())

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """SIGINT: connections are cut, and it stops. SIGQUIT: at once, as in a crash."""
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait(timeout=_START_SECONDS)
            self._process = None

    def remove(self) -> None:
        """Stop, and remove its files."""
        self.stop(signal.SIGQUIT)
        shutil.rmtree(self._folder)

    def url(self, database: str, user: str | None = None, password: str | None = None) -> str:
        """The URL of a database, with the password in it."""
        who = f"{user or self.user}:{password or self.password}"
        return f"postgresql://{who}@127.0.0.1:{self.port}/{database}"

    def execute(self, *statements: str, database: str = "postgres") -> list[tuple[Any, ...]]:
        """Execute statements as the server's owner; the rows of the last one."""
        import psycopg

        with psycopg.connect(self.url(database), autocommit=True) as connection:
            for statement in statements:
                cursor = connection.execute(statement.encode())
            return cursor.fetchall() if cursor.description else []

    def empty_database(self) -> str:
        """The URL of a new database with nothing in it."""
        self._made += 1
        name = f"test_{os.getpid()}_{self._made}"
        self.execute(f"CREATE DATABASE {name}")
        return self.url(name)

    def new_store(self) -> str:
        """The URL of a new store, copied: that is quicker than to migrate one."""
        self._made += 1
        name = f"test_{os.getpid()}_{self._made}"
        self.execute(f"CREATE DATABASE {name} TEMPLATE {TEMPLATE}")
        return self.url(name)

    def lend_store(self) -> str:
        """The URL of an empty store, which goes back with `take_back`: quicker still."""
        return self._emptied.pop() if self._emptied else self.new_store()

    def take_back(self, url: str) -> None:
        """Empty a store for another test."""
        name = url.rpartition("/")[2]
        self.execute(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")
        tables = self.execute(
            "SELECT tablename FROM pg_tables WHERE schemaname = 'public' "
            "AND tablename NOT IN ('alembic_version', 'change_count')",
            database=name,
        )
        self.execute(f"TRUNCATE {', '.join(row[0] for row in tables)} RESTART IDENTITY", database=name)
        self._emptied.append(url)

    @property
    def version(self) -> int:
        """The major version."""
        return int(self.execute("SHOW server_version_num")[0][0]) // 10_000

    @property
    def _data(self) -> Path:
        return self._folder / "data"

    def _answers(self, port: int) -> bool:
        import psycopg

        deadline = time.monotonic() + _START_SECONDS
        while time.monotonic() < deadline:
            assert self._process is not None
            if self._process.poll() is not None:
                return False  # another process was quicker to take the port
            with contextlib.suppress(psycopg.OperationalError):
                who = {"user": self.user, "password": self.password}
                psycopg.connect(host="127.0.0.1", port=port, dbname="postgres", **who).close()
                return True
            time.sleep(0.02)
        return False


TEMPLATE = "new_store"
KINDS = ("sqlite", "postgres")
on_both = pytest.mark.parametrize("store", KINDS, indirect=True)
"""For a test whose fixture `store` is that of tests/worker/conftest.py."""


def empty_store(
    kind: str,
    request: pytest.FixtureRequest,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    *,
    lent: bool = False,
) -> str:
    """Where a new store of that kind is: a path, or a URL. Its runs lie in `runs` of tmp_path; commands that
    are started in tmp_path find it without being told. `lent`: no process of the test uses it afterwards."""
    if kind == "sqlite":
        return str(tmp_path / "experiments.db")
    server: Server = request.getfixturevalue("postgres")
    url = server.lend_store() if lent else server.new_store()
    if lent:
        request.addfinalizer(lambda: server.take_back(url))
    monkeypatch.setenv("MLM_WORKBENCH_RUNS", str(tmp_path / "runs"))
    monkeypatch.setenv("MLM_WORKBENCH_DB", url)
    return url


def started() -> Iterator[Server]:
    """A server, for a fixture. Skips where there is none."""
    if reason := missing():
        pytest.skip(reason)
    from workbench.store import Store

    server = Server()
    try:
        try:
            server.initialise()
            server.start()
        except (OSError, AssertionError, subprocess.SubprocessError) as error:
            if os.environ.get("MLM_WORKBENCH_FAULTS") == "full":
                raise
            pytest.skip(f"PostgreSQL does not start here: {error}")
        server.execute(f"CREATE DATABASE {TEMPLATE} TEMPLATE template0 {_language(server)}")
        Store.open(server.url(TEMPLATE)).close()
        yield server
    finally:
        server.remove()


def _language(server: Server) -> str:
    """A language whose order of letters is not that of bytes, if the server has one."""
    ((found,),) = server.execute("SELECT count(*) FROM pg_collation WHERE collname = 'en-US-x-icu'")
    return "LOCALE_PROVIDER icu ICU_LOCALE 'en-US'" if found and server.version >= 15 else ""


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])
