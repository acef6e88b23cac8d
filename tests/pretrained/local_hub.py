"""A hub on localhost: as much of the Hugging Face hub as loading a model or a data set asks for."""

from __future__ import annotations

import hashlib
import json
import re
import socket
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar
from urllib.parse import parse_qs, unquote, urlsplit

CONVERTED = "refs/convert/parquet"


@dataclass
class Repository:
    """Files by path, for each branch. `error`: what everyone who asks is told, such as (403, "GatedRepo").

    token: who does not show it is told that there is no such repository. silent: nobody is answered. breaks:
    files whose connection is cut after two thirds, once. damaged: files that come with other bytes. `sent`:
    of each file, how many bytes went out.
    """

    branches: dict[str, dict[str, bytes]] = field(default_factory=lambda: {"main": {}})
    error: tuple[int, str] | None = None
    retry_after: int | None = None
    token: str | None = None
    silent: bool = False
    breaks: set[str] = field(default_factory=set)
    damaged: set[str] = field(default_factory=set)
    sent: dict[str, int] = field(default_factory=dict)

    def commit(self, revision: str) -> str | None:
        """The commit of a branch, or the commit itself; None when there is none such."""
        commits = {branch: hashlib.sha1(branch.encode()).hexdigest() for branch in self.branches}
        return revision if revision in commits.values() else commits.get(revision)

    def files(self, commit: str) -> dict[str, bytes]:
        return next(files for branch, files in self.branches.items() if self.commit(branch) == commit)


class LocalHub:
    """Serves `models` and `datasets` (by id) until `close`."""

    def __init__(self) -> None:
        self.models: dict[str, Repository] = {}
        self.datasets: dict[str, Repository] = {}
        hub = self

        class Handler(_Handler):
            repositories: ClassVar = {"models": hub.models, "datasets": hub.datasets}

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


class _Handler(BaseHTTPRequestHandler):
    repositories: ClassVar[dict[str, dict[str, Repository]]]

    def do_GET(self) -> None:
        self._answer(b"")

    do_HEAD = do_GET

    def do_POST(self) -> None:
        self._answer(self.rfile.read(int(self.headers.get("content-length") or 0)))

    def log_message(self, *parts: Any) -> None:
        """Be quiet."""

    def _answer(self, body: bytes) -> None:
        """Routes: [/api]/KIND/OWNER/NAME/ACTION/REVISION/PATH; files of models are asked for without KIND."""
        parts = [unquote(part) for part in urlsplit(self.path).path.strip("/").split("/")]
        is_api = parts[0] == "api"
        parts = parts[is_api:]
        kind = parts.pop(0) if parts[0] in self.repositories else "models"
        repository = self.repositories[kind].get("/".join(parts[:2]))
        if repository is None:
            return self._fail(404, "RepoNotFound")
        if repository.silent:
            time.sleep(20)
        if repository.token and self.headers.get("Authorization") != f"Bearer {repository.token}":
            return self._fail(401, "RepoNotFound")
        if repository.error is not None:
            return self._fail(*repository.error, retry_after=repository.retry_after)
        action, rest = (parts[2], parts[3:]) if len(parts) > 2 else ("revision", ["main"])
        commit = repository.commit(rest[0])
        if commit is None:
            return self._fail(404, "RevisionNotFound")
        files, path = repository.files(commit), "/".join(rest[1:])
        if not is_api:
            return self._file(repository, path, files.get(path), commit)
        if action == "revision":
            names = [{"rfilename": name} for name in files]
            return self._json({"id": "/".join(parts[:2]), "sha": commit, "siblings": names})
        if action == "paths-info":
            asked = json.loads(body)["paths"] if body[:1] == b"{" else parse_qs(body.decode())["paths"]
            return self._json([entry for entry in _entries(files, "") if entry["path"] in asked])
        if action == "tree":
            return self._json(_entries(files, path))
        return self._fail(404, "EntryNotFound")

    def _file(self, repository: Repository, path: str, content: bytes | None, commit: str) -> None:
        if content is None:
            return self._fail(404, "EntryNotFound", commit)
        etag = hashlib.sha256(content).hexdigest() if is_large(path) else hashlib.sha1(content).hexdigest()
        if path in repository.damaged:
            content = bytes(len(content))
        headers = {"ETag": f'"{etag}"', "X-Repo-Commit": commit, "Accept-Ranges": "bytes"}
        begin, end = 0, len(content)
        if asked := re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", "")):
            begin, end = int(asked[1]), int(asked[2] or end - 1) + 1
            headers["Content-Range"] = f"bytes {begin}-{end - 1}/{len(content)}"
        cut = None
        if self.command == "GET" and path in repository.breaks:
            repository.breaks.remove(path)
            cut = 2 * (end - begin) // 3
        sent = self._send(206 if asked else 200, content[begin:end], headers, cut)
        repository.sent[path] = repository.sent.get(path, 0) + sent

    def _json(self, value: Any) -> None:
        self._send(200, json.dumps(value).encode(), {"Content-Type": "application/json"})

    def _fail(self, status: int, code: str, commit: str = "", retry_after: int | None = None) -> None:
        wait = {} if retry_after is None else {"Retry-After": str(retry_after)}
        self._send(
            status, b"", {"X-Error-Code": code, "X-Error-Message": code, "X-Repo-Commit": commit, **wait}
        )

    def _send(self, status: int, content: bytes, headers: dict[str, str], cut: int | None = None) -> int:
        """Answer; `cut`: bytes after which the connection breaks. Returns how many bytes went out."""
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(content))}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command == "HEAD":
            return 0
        self.wfile.write(content[:cut])
        if cut is not None:
            self.wfile.flush()
            self.connection.shutdown(socket.SHUT_RDWR)
        return len(content[:cut])


def is_large(path: str) -> bool:
    """Whether the hub keeps such a file apart from git, by its SHA-256."""
    return path.endswith((".safetensors", ".parquet"))


def _entries(files: dict[str, bytes], under: str) -> list[dict[str, Any]]:
    """All files and folders below a folder, as the hub lists them."""
    prefix = f"{under}/" if under else ""
    inside = {name: content for name, content in files.items() if name.startswith(prefix)}
    folders = {
        name[:at] for name in inside for at, sign in enumerate(name) if sign == "/" and at >= len(prefix)
    }
    listed: list[dict[str, Any]] = [
        {"type": "directory", "path": name, "oid": "0", "size": 0} for name in folders
    ]
    for name, content in inside.items():
        oid = hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()  # as git has it
        entry = {"type": "file", "path": name, "oid": oid, "size": len(content)}
        if is_large(name):
            sha256 = hashlib.sha256(content).hexdigest()
            entry["lfs"] = {"oid": sha256, "sha256": sha256, "size": len(content), "pointerSize": 130}
        listed.append(entry)
    return listed
