"""The places that a person has named, in config.toml of their configuration folder."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from workbench.engines.place import HERE, SLURM, WORK, Place, checked, here, read_options
from workbench.errors import UsageError
from workbench.paths import config_folder
from workbench.status import PlaceEngine

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,39}")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_TEXTS = ("partition", "account", "qos", "time")
_COUNTS = ("nodes", "gpus")
_FIELDS = ("engine", *_TEXTS, *_COUNTS, "setup", "environment", "sbatch")
_LONGEST_FILE = 1_000_000


def config_file() -> Path:
    """Where the configuration lies; it need not exist."""
    return config_folder() / "config.toml"


def places() -> dict[str, Place]:
    """All places by name: `here`, `slurm`, then those of the configuration in its order.

    Raises UsageError that names the file and the field.
    """
    places_by_name = {HERE: here(), SLURM: Place(SLURM, PlaceEngine.SLURM)}
    for name, fields in _tables(config_file()).items():
        places_by_name[name] = _place(name, fields)
    return places_by_name


def place(name: str) -> Place:
    """The place of that name. Raises UsageError that lists the places there are."""
    if name == WORK:
        return Place(WORK, PlaceEngine.WORK)
    by_name = places()
    if name not in by_name:
        raise UsageError(
            f"There is no place {name!r}.",
            f"Places: {', '.join(by_name)}. More can be named in {config_file()}: [places.{_example(name)}]",
        )
    return by_name[name]


def _example(name: str) -> str:
    return name if _NAME.fullmatch(name) else "NAME"


def _tables(file: Path) -> Mapping[str, Any]:
    """The tables under `places`; empty where there is no file."""
    try:
        with file.open("rb") as opened:
            content = opened.read(_LONGEST_FILE + 1)
        if len(content) > _LONGEST_FILE:
            raise UsageError(f"{file} is too large for a configuration, which takes a few kilobytes.")
        parsed = tomllib.loads(content.decode("utf-8"))
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise UsageError(f"Cannot read the configuration {file}: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"The configuration {file} is not UTF-8 text.") from error
    except tomllib.TOMLDecodeError as error:  # names line and column
        raise UsageError(f"The configuration {file} is not TOML: {error}.") from error
    if unknown := [name for name in parsed if name != "places"]:
        raise UsageError(f"{file}: unknown entry {unknown[0]!r}.", "It may have tables [places.NAME].")
    tables = parsed.get("places", {})
    if not isinstance(tables, dict):
        raise UsageError(f"{file}: places must be tables.", "For example [places.a100]")
    return tables


def _place(name: str, fields: Any) -> Place:
    where = f"{config_file()}, [places.{name}]:"
    if not _NAME.fullmatch(name) or name in (HERE, SLURM, WORK):
        hint = (
            f"{name} is built in."
            if name in (HERE, SLURM, WORK)
            else "Letters, digits, _ . - and at most 40."
        )
        raise UsageError(f"{where} a place cannot have this name.", hint)
    if not isinstance(fields, dict):
        raise UsageError(f"{where} must be a table.", f"[places.{name}]")
    for field in fields:
        if field not in _FIELDS:
            raise UsageError(f"{where} unknown field {field!r}.", f"Fields: {', '.join(_FIELDS)}.")
    if fields.get("engine") != SLURM:
        given = f"is {fields['engine']!r}" if "engine" in fields else "is missing"
        raise UsageError(f"{where} engine {given}.", 'Write engine = "slurm".')
    options = {field: _text(fields[field], f"{where} {field}") for field in _TEXTS if field in fields}
    for field, value in options.items():
        checked(field, value, where)
    return Place(
        name,
        PlaceEngine.SLURM,
        nodes=_count(fields, "nodes", where),
        gpus=_count(fields, "gpus", where),
        options=options | read_options(_lines(fields, "sbatch", where), f"{where} sbatch"),
        setup=tuple(_lines(fields, "setup", where)),
        environment=_variables(fields.get("environment", {}), where),
    )


def _text(value: Any, where: str) -> str:
    if not isinstance(value, str) or not value.strip():
        raise UsageError(f"{where} must be text in quotes; got {value!r}.")
    return value.strip()


def _count(fields: Mapping[str, Any], field: str, where: str) -> int | None:
    value = fields.get(field)
    if value is not None and (not isinstance(value, int) or isinstance(value, bool) or value < 1):
        raise UsageError(f"{where} {field} must be a whole number of at least 1; got {value!r}.")
    return value


def _lines(fields: Mapping[str, Any], field: str, where: str) -> list[str]:
    """One text, or a list of texts."""
    value = fields.get(field, [])
    lines = [value] if isinstance(value, str) else value
    if not isinstance(lines, list) or not all(isinstance(line, str) for line in lines):
        raise UsageError(f"{where} {field} must be text, or a list of texts; got {value!r}.")
    return lines


def _variables(value: Any, where: str) -> dict[str, str]:
    if not isinstance(value, dict):
        raise UsageError(f'{where} environment must be a table, {{ NAME = "value" }}; got {value!r}.')
    for name, text in value.items():
        if not _VARIABLE.fullmatch(name):
            raise UsageError(f"{where} environment: {name!r} cannot be a variable's name.")
        if not isinstance(text, str) or "\0" in text:
            raise UsageError(f"{where} environment: {name} must be text in quotes; got {text!r}.")
    return dict(value)
