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


def explain(detail: ErrorDetails) -> str:
    """A validation error as a readable message."""
    kind, value, context = detail["type"], detail["input"], detail.get("ctx", {})
    if kind in _BROKEN:
        key = _BROKEN[kind]
        return f"must be {BOUNDS[key]} {context[key]:,.10g}; got {value}"
    if kind == "literal_error":
        return f"must be one of {context['expected']}; got {value!r}"
    if kind == "extra_forbidden":
        return "is not a field of a recipe"
    if kind in ("int_parsing", "int_type", "int_from_float"):
        return f"must be a whole number; got {value!r}"
    if kind in ("float_parsing", "float_type", "finite_number"):
        return f"must be a number; got {value!r}"
    if kind == "string_too_short":
        return "must not be empty"
    if kind == "string_pattern_mismatch":
        return f"must be auto, cpu, cuda, cuda:N or mps; got {value!r}"
    if kind == "value_error":
        return str(context["error"])
    return f"{detail['msg']}; got {value!r}"
