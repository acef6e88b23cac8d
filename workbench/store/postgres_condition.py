"""Checks a PostgreSQL server, for `doctor`."""

from __future__ import annotations

import time
from typing import NamedTuple

from sqlalchemy import Connection, Engine, text

_MOST_SECONDS_OFF = 30.0
"""Another machine's run counts as crashed after two minutes of silence, by that machine's clock."""
_SLOW_SECONDS = 0.1
_FULL = 0.8
_OURS = ("run", "metric", "checkpoint", "fill", "yardstick", "cloze", "sweep", "journal", "keeper", "setting")


class Trouble(NamedTuple):
    """A problem, and what to do."""

    message: str
    hint: str


class Condition(NamedTuple):
    """facts: a one-line summary. troubles: problems."""

    facts: str
    troubles: list[Trouble]


def condition(engine: Engine) -> Condition:
    """Check the server. Raises SQLAlchemy's errors."""
    with engine.connect() as connection:
        connection.execute(text("SELECT 1"))
        begun = time.perf_counter()
        theirs = float(connection.execute(text("SELECT extract(epoch FROM clock_timestamp())")).scalar_one())
        seconds = time.perf_counter() - begun
        off = theirs - (time.time() - seconds / 2)
        version = connection.execute(text("SHOW server_version")).scalar_one()
        used = _number(
            connection, "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'"
        )
        most = _number(connection, "SELECT current_setting('max_connections')::int")
        facts = f"PostgreSQL {version}, {seconds * 1000:.1f} ms a query, {used} of {most} connections in use"
        troubles = _rights(connection)
    if abs(off) > _MOST_SECONDS_OFF:
        troubles.append(
            Trouble(
                f"this machine's clock and the server's differ by {abs(off):.0f} s",
                "Set the clocks by NTP: by them a run on another machine is known to live.",
            )
        )
    if seconds > _SLOW_SECONDS:
        troubles.append(
            Trouble("the server is slow to answer", "Screens will be slow; use one that is nearer.")
        )
    if used > _FULL * most:
        troubles.append(
            Trouble("the server has few connections left", "Raise max_connections, or use a pooler.")
        )
    return Condition(facts, troubles)


def _number(connection: Connection, query: str) -> int:
    return int(connection.execute(text(query)).scalar_one())


def _rights(connection: Connection) -> list[Trouble]:
    if connection.execute(text("SHOW transaction_read_only")).scalar_one() == "on":
        return [
            Trouble("the server is read-only", "Runs can be read, but not started. Use the primary server.")
        ]
    query = text(
        "SELECT has_table_privilege(:table, 'SELECT, INSERT') AND has_table_privilege(:table, 'UPDATE')"
    )
    lacking = [table for table in _OURS if not connection.execute(query, {"table": table}).scalar_one()]
    if not lacking:
        return []
    return [
        Trouble(
            f"you may not write to {', '.join(lacking)}",
            "The database's owner can grant it: docs/postgres.md lists the rights.",
        )
    ]
