"""The names of runs for shell completion, read without creating or migrating a database."""

from __future__ import annotations

from workbench.store.engine import backend_of

_MOST = 200


def run_names(location: str | None) -> list[tuple[int, str]]:
    """Id and name of the newest runs; none where there is no database file. Raises an exception of any kind
    for a database that is damaged, locked, of another version or out of reach.
    """
    return backend_of(location).run_names(_MOST)
