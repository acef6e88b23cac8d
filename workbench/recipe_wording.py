"""Words pydantic's validation errors for users."""

from __future__ import annotations

from pydantic_core import ErrorDetails

BOUNDS = {"ge": "at least", "gt": "above", "le": "at most", "lt": "below"}
"""The bounds of a number by pydantic's names, in the order of messages."""
_BROKEN = {
    "greater_than": "gt",
    "greater_than_equal": "ge",
    "less_than": "lt",
    "less_than_equal": "le",
}

_WANTED = {
    **dict.fromkeys(("int_parsing", "int_type", "int_from_float"), "a whole number"),
    **dict.fromkeys(("float_parsing", "float_type", "finite_number"), "a number"),
    **dict.fromkeys(("bool_parsing", "bool_type"), "true or false"),
    "string_pattern_mismatch": "auto, cpu, cuda, cuda:N or mps",
    "string_type": "text",
    "string_unicode": "written in UTF-8 (rename the file, or give the folder that it is in)",
}
_SENTENCES = {"extra_forbidden": "is not a field of a recipe", "string_too_short": "must not be empty"}


def explain(detail: ErrorDetails) -> str:
    """A validation error as a readable message."""
    kind, value, context = detail["type"], detail["input"], detail.get("ctx", {})
    if kind in _BROKEN:
        key = _BROKEN[kind]
        return f"must be {BOUNDS[key]} {context[key]:,.10g}; got {value}"
    if kind == "literal_error":
        return f"must be one of {context['expected']}; got {value!r}"
    if kind in _SENTENCES:
        return _SENTENCES[kind]
    if kind in _WANTED:
        return f"must be {_WANTED[kind]}; got {value!r}"
    if kind == "value_error":
        return str(context["error"])
    return f"{detail['msg']}; got {value!r}"
