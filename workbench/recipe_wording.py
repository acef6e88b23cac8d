"""What is wrong with a field of a recipe, in a user's words rather than pydantic's."""

from __future__ import annotations

from pydantic_core import ErrorDetails

BOUNDS = {"ge": "at least", "gt": "above", "le": "at most", "lt": "below"}
"""What bounds a number, by pydantic's names, in the order in which they are told."""
_BROKEN = {
    "greater_than": "gt",
    "greater_than_equal": "ge",
    "less_than": "lt",
    "less_than_equal": "le",
}


def explain(detail: ErrorDetails) -> str:
    """One validation error in a user's words."""
    kind, given, context = detail["type"], detail["input"], detail.get("ctx", {})
    if kind in _BROKEN:
        key = _BROKEN[kind]
        return f"must be {BOUNDS[key]} {context[key]:,.10g}; got {given}"
    if kind == "literal_error":
        return f"must be one of {context['expected']}; got {given!r}"
    if kind == "extra_forbidden":
        return "is not a field of a recipe"
    if kind in ("int_parsing", "int_type", "int_from_float"):
        return f"must be a whole number; got {given!r}"
    if kind in ("float_parsing", "float_type", "finite_number"):
        return f"must be a number; got {given!r}"
    if kind == "string_too_short":
        return "must not be empty"
    if kind == "string_pattern_mismatch":
        return f"must be auto, cpu, cuda, cuda:N or mps; got {given!r}"
    if kind == "value_error":
        return str(context["error"])
    return f"{detail['msg']}; got {given!r}"
