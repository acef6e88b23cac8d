"""Colours: a theme with contrast for terminals of many colours, the terminal's own for those of few."""

from __future__ import annotations

from textual.theme import Theme

WORKBENCH = Theme(
    name="workbench",
    primary="#5fafff",
    secondary="#87d7d7",
    accent="#ffaf5f",
    warning="#ffd75f",
    error="#ff6f6f",
    success="#87d787",
    foreground="#e4e4e4",
    background="#121212",
    surface="#1c1c1c",
    panel="#303030",
    dark=True,
    variables={
        "footer-key-foreground": "#ffaf5f",
        "footer-background": "#1c1c1c",
    },
)


def theme_for(color_system: str | None) -> str:
    """The theme to start with. With 16 colours only the terminal's own palette is sure to be readable."""
    return "ansi-dark" if color_system == "standard" else WORKBENCH.name
