"""Numbers and names for the screen: short, aligned, and never wider than allowed."""

from __future__ import annotations

import math

from rich.cells import cell_len, set_cell_size

from workbench.metrics import MetricName

NOTHING = "—"
"""Shown for an unknown value."""


def perplexity(value: float | None) -> str:
    """At most 7 cells: three significant digits, whole numbers from 100 on, powers of ten from a million."""
    if value is None or math.isnan(value):
        return NOTHING
    if math.isinf(value) or value >= 1e100:
        return "∞"
    if value >= 1e6:
        return f"{value:.1e}".replace("e+0", "e").replace("e+", "e")
    if value >= 99.95:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 9.995 else f"{value:.2f}"


def measured(name: MetricName, value: float | None) -> str:
    """A metric's value, without its unit."""
    if value is None:
        return NOTHING
    own = {"perplexity": perplexity, "compact": compact}.get(name.form)
    return own(value) if own else format(value, name.form)


def labelled(name: MetricName, value: float | None) -> str:
    """`loss 3.250`, `grad norm 1.23`."""
    return f"{name.label} {measured(name, value)}"


def duration(seconds: float | None) -> str:
    """At most 7 cells: `42s`, `3m 12s`, `2h 05m`, `3d 04h`."""
    if seconds is None or not math.isfinite(seconds) or seconds < 0:
        return NOTHING
    whole = round(seconds)
    minutes, secs = divmod(whole, 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    if days > 99:
        return f"{days}d"
    if days:
        return f"{days}d {hours:02}h"
    if hours:
        return f"{hours}h {minutes:02}m"
    return f"{minutes}m {secs:02}s" if minutes else f"{secs}s"


def count(value: float | None) -> str:
    """A whole number with separators."""
    return NOTHING if value is None or not math.isfinite(value) else f"{value:,.0f}"


def tick(value: float) -> str:
    """A label on an axis: `0`, `0.5`, `30`, `3,000`."""
    return perplexity(value) if value >= 1e6 else f"{value:,.0f}" if value >= 1000 else f"{value:g}"


def compact(value: float | None) -> str:
    """A count in at most 5 cells: `950`, `20.1k`, `1.2M`."""
    if value is None or not math.isfinite(value):
        return NOTHING
    for size, unit in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if value >= size * 0.9995:
            scaled = value / size
            return f"{scaled:.0f}{unit}" if scaled >= 99.95 else f"{scaled:.1f}{unit}"
    return f"{value:.0f}"


def share(value: float) -> str:
    """A probability in 6 cells: `61.2 %`."""
    return f"{100 * value:4.1f} %" if value < 0.9995 else " 100 %"


def known(value: object) -> str:
    """A recipe's value as it is written, or a dash where an imported run does not say."""
    return NOTHING if value is None else str(value)


def decimal(value: float | None) -> str:
    """A number as a recipe shows it: `0.15`, `1.23e-05`."""
    return NOTHING if value is None else f"{value:g}"


def short(value: float | None) -> str:
    """Three significant digits: `0.001`, `3.25e-06`."""
    return NOTHING if value is None else f"{value:.3g}"


def clip(text: str, width: int) -> str:
    """`text` in at most `width` cells (wide characters count as two); `…` where something was cut."""
    if width <= 0:
        return ""
    if cell_len(text) <= width:
        return text
    return set_cell_size(text, width - 1).rstrip() + "…"


def tail(text: str, width: int) -> str:
    """The end of `text` in at most `width` cells."""
    while cell_len(text) > width:
        text = text[1:]
    return text


def fit(text: str, width: int, align: str = "left") -> str:
    """`text` in exactly `width` cells, clipped or padded."""
    text = clip(text, width)
    padding = " " * (width - cell_len(text))
    return padding + text if align == "right" else text + padding
