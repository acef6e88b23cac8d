"""The names of runs for a shell's completion: read as they are, nothing made, nothing brought up to date."""

from __future__ import annotations

import sqlite3

from workbench.store.engine import locate, sqlite_file

_MOST = 200
_SECONDS = 1.0


def run_names(location: str | None) -> list[tuple[int, str]]:
    """Id and name of the newest runs; none where there is no database file. Raises sqlite3.Error for a
    database that is damaged, locked, or of another version.
    """
    file = sqlite_file(locate(location))
    if file is None or not file.is_file():
        return []
    connection = sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True, timeout=_SECONDS)
    try:
        query = "SELECT id, name FROM run WHERE deleted_at IS NULL ORDER BY id DESC LIMIT ?"
        return [(int(run_id), str(name)) for run_id, name in connection.execute(query, (_MOST,))]
    finally:
        connection.close()
