"""As much of the hub as takes an upload: repositories that are made, and commits of small files."""

from __future__ import annotations

import base64
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class WritableHub:
    """Takes uploads on localhost until `close`. `refuse`: the status that everyone is told, if any."""

    def __init__(self) -> None:
        self.files: dict[str, dict[str, bytes]] = {}
        self.private: dict[str, bool] = {}
        self.tokens: set[str | None] = set()
        self.refuse: int | None = None
        hub = self

        class Handler(_Handler):
            home = hub

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


class _Handler(BaseHTTPRequestHandler):
    home: WritableHub

    def do_POST(self) -> None:
        body = self._body()
        self.home.tokens.add(self.headers.get("authorization"))
        parts = self.path.partition("?")[0].strip("/").split("/")
        if self.home.refuse:
            self._answer({"error": "no"}, self.home.refuse)
        elif parts == ["api", "repos", "create"]:
            wanted = json.loads(body)
            name = (
                f"{wanted['organization']}/{wanted['name']}" if "organization" in wanted else wanted["name"]
            )
            if name in self.home.files:
                self._answer({"error": "exists", "url": f"{self.home.url}/{name}"}, 409)
                return
            self.home.files[name], self.home.private[name] = {}, wanted.get("visibility") == "private"
            self._answer({"url": f"{self.home.url}/{name}", "name": name})
        elif parts == ["api", "validate-yaml"]:
            self._answer({"errors": [], "warnings": []})
        elif parts[4:5] == ["preupload"]:
            asked = [file["path"] for file in json.loads(body)["files"]]
            regular = [{"path": path, "uploadMode": "regular", "shouldIgnore": False} for path in asked]
            self._answer({"files": regular})
        elif parts[4:5] == ["commit"]:
            name = "/".join(parts[2:4])
            for line in map(json.loads, body.splitlines()):
                if line["key"] == "file":
                    self.home.files[name][line["value"]["path"]] = base64.b64decode(line["value"]["content"])
            self._answer({"commitUrl": f"{self.home.url}/{name}/commit/1", "commitOid": "1" * 40})
        else:
            self._answer({"error": self.path}, 404)

    def do_GET(self) -> None:
        self._answer({"error": "no"}, self.home.refuse or 404)

    def log_message(self, *parts: Any) -> None:
        """Be quiet."""

    def _body(self) -> bytes:
        if self.headers.get("transfer-encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("content-length") or 0))
        chunks = []
        while size := int(self.rfile.readline(), 16):
            chunks.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(chunks)

    def _answer(self, value: Any, status: int = 200) -> None:
        content = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)
