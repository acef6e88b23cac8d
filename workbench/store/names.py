"""The names of runs for shell completion, read without creating or migrating a database."""

from __future__ import annotations

from workbench.store.engine import backend_of

_MOST = 200


def run_names(location: str | None) -> list[tuple[int, str]]:
    """Ids and names of the newest runs; [] without a database file.

    May raise any exception for a database that is damaged, locked, of another version or out of reach.
    """
    return backend_of(location).run_names(_MOST)
