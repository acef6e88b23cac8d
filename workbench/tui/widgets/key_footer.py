"""The keys of the screen in front, in its last line."""

from __future__ import annotations

from textual.screen import Screen
from textual.widgets import Footer


class KeyFooter(Footer):
    """Textual's, one line high, and there from the beginning also in a window that has not the focus: a
    workbench that was opened beside an editor, or in a browser's background, is looked at too.
    """

    def __init__(self, *, show_command_palette: bool = False) -> None:
        """Without the palette's key, as the other keys fill 80 columns on most screens."""
        super().__init__(compact=True, show_command_palette=show_command_palette)

    def bindings_changed(self, screen: Screen) -> None:
        self._bindings_ready = True
        if self.is_attached and screen is self.screen:
            self.call_after_refresh(self.recompose)
