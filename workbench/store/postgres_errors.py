"""Readable messages for errors of a PostgreSQL server or its driver."""

from __future__ import annotations

import re
from typing import NamedTuple

from sqlalchemy.exc import DBAPIError

from workbench.errors import StoreError
from workbench.store.backend import ConflictError


class _Words(NamedTuple):
    """{store} is the database, {user} the user's name."""

    message: str
    hint: str


_AGAIN = "It is likely to work again soon; the server's log says what happened."
_BY_STATE = {
    "42501": _Words(
        "The user {user} lacks a right in the database {store}.",
        "The owner of the database can grant it; docs/postgres.md lists what is needed.",
    ),
    "25006": _Words(
        "The database {store} is read-only: the server is a standby, or it was set so.",
        "Connect to the primary server.",
    ),
    "53100": _Words("The disk of the server of {store} is full.", "Make room there."),
    "53200": _Words("The server of {store} has no memory left.", _AGAIN),
    "53300": _Words(
        "The server of {store} accepts no more connections.",
        "Raise max_connections there, close some programs, or put a pooler in front of it.",
    ),
    "57014": _Words(
        "The server of {store} cancelled a query that took too long (statement_timeout).",
        "Raise statement_timeout for this user, or find out what keeps the server busy.",
    ),
    "55P03": _Words("Another process has locked data in {store} for too long.", "Try again later."),
    "40001": _Words("Two processes changed the same data in {store} at once.", "Try again."),
    "40P01": _Words("Two processes waited for each other in {store}.", "Try again."),
    "42P01": _Words(
        "A table is missing in {store}.", "Check search_path; if the table was dropped, restore a dump."
    ),
    "42703": _Words(
        "A column is missing in {store}.", "If another program made the table, use a database of its own."
    ),
    "42P07": _Words(
        "{store} has tables of another program with the same names.", "Use a database of its own."
    ),
    "XX001": _Words("The server reports damaged data in {store}.", "Restore a dump."),
    "XX002": _Words("The server reports a damaged index in {store}.", "REINDEX DATABASE repairs it."),
}
_BY_CLASS = {
    "08": _Words("The connection to {store} was lost.", _AGAIN),
    "57": _Words("The server of {store} is stopping or starting.", _AGAIN),
    "58": _Words("The server of {store} cannot use its own files.", "Read the server's log."),
    "22": _Words("{store} cannot hold one of the values.", "Please report this."),
    "23": _Words("What was to be changed is no longer in {store}.", "Was the run deleted meanwhile?"),
    "28": _Words("The server of {store} refused the user {user}.", "Check user and password."),
    "3D": _Words("There is no database {store}.", "Create it: createdb NAME"),
}
_CONFLICTS = {"40001", "40P01"}
_PASSWORD = (
    "Put it into ~/.pgpass, PGPASSWORD or MLM_WORKBENCH_DB; in a URL, @ and / are written %40 and %2F."
)
_UNREACHABLE = "Check that it runs, its address, and that it listens for connections from here."
_CONNECTING = {
    r"password|SASL|scram": _Words(
        "The server of {store} refused the password of the user {user}.", _PASSWORD
    ),
    r"database .* does not exist": _BY_CLASS["3D"],
    r"role .* does not exist|[Pp]eer auth|Ident auth": _Words(
        "The server of {store} does not know the user {user}.", "Create it there: createuser NAME"
    ),
    r"pg_hba": _Words(
        "The server of {store} does not let the user {user} in from this machine.",
        "An entry in its pg_hba.conf allows it.",
    ),
    r"permission denied for database": _Words(
        "The user {user} may not connect to {store}.", "GRANT CONNECT ON DATABASE allows it."
    ),
    r"too many|connection slots": _BY_STATE["53300"],
    r"starting up|shutting down|recovery": _BY_CLASS["57"],
    r"SSL|certificate": _Words(
        "No encrypted connection to {store} could be made.", "Check sslmode and sslrootcert."
    ),
    r"invalid connection option": _Words(
        "The URL of {store} has an unknown option.", "Check what follows the `?`."
    ),
    r"resolve host|translate host": _Words("The host of {store} is unknown.", "Check its name."),
    r"refused|No such file|[Tt]imeout|timed out|unreachable|No route": _Words(
        "No server answers at {store}.", _UNREACHABLE
    ),
}
"""Errors while connecting, which have no SQLSTATE, by patterns in their text."""
_UNKNOWN = _Words("{store} could not be reached.", f"{_UNREACHABLE} The server's log says more.")


def in_words(error: DBAPIError, store: str, user: str | None) -> StoreError:
    """The error as a StoreError, or a ConflictError if a retry may succeed."""
    state = getattr(error.orig, "sqlstate", None)
    words = _of_state(str(state)) if state else _of_text(error)
    names = {"store": store, "user": user or "of this name"}
    kind = ConflictError if state in _CONFLICTS else StoreError
    return kind(words.message.format(**names), words.hint.format(**names))


def _of_state(state: str) -> _Words:
    wording = _BY_STATE.get(state) or _BY_CLASS.get(state[:2])
    if wording is not None:
        return wording
    return _Words(f"{{store}} refused (SQLSTATE {state}).", "The server's log says why.")


def _of_text(error: DBAPIError) -> _Words:
    said = str(error.orig)
    for pattern, words in _CONNECTING.items():
        if re.search(pattern, said):
            return words
    return _BY_CLASS["08"] if error.connection_invalidated else _UNKNOWN
