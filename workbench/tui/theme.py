"""Colours: a theme for terminals with many colours, and the terminal's own for those with 16 or none."""

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


PLAIN = Theme(
    name="workbench-16",
    ansi=True,
    primary="ansi_blue",
    secondary="ansi_cyan",
    warning="ansi_yellow",
    error="ansi_red",
    success="ansi_green",
    accent="ansi_green",
    foreground="ansi_default",
    background="ansi_default",
    surface="ansi_default",
    panel="ansi_default",
    boost="ansi_default",
    dark=True,
    variables={
        # The terminal's background may be dark or light, so nothing is drawn in black on it.
        "ansi-background": "ansi_default",
        "ansi-foreground": "ansi_default",
        "border-blurred": "ansi_default",
        "block-cursor-foreground": "ansi_black",
        "block-cursor-background": "ansi_white",
        "input-cursor-background": "ansi_white",
        "input-cursor-foreground": "ansi_black",
        "input-cursor-text-style": "none",
        "input-selection-background": "ansi_cyan",
        "input-selection-foreground": "ansi_black",
        "screen-selection-background": "ansi_cyan",
        "screen-selection-foreground": "ansi_black",
    },
)

WITHOUT_COLOUR = {
    "block-cursor-text-style": "bold underline",
    "block-cursor-blurred-text-style": "underline",
    "input-cursor-text-style": "reverse",
}
"""Theme variables for a terminal without colour. Option lists cannot draw in reverse."""


def theme_for(color_system: str | None, *, no_color: bool = False) -> str:
    """The theme to start with. With 16 colours or none, only the terminal's own are sure to be readable."""
    return PLAIN.name if no_color or color_system in (None, "standard") else WORKBENCH.name
