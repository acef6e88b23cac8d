"""The footer: the keys of the screen in front."""

from __future__ import annotations

from textual.screen import Screen
from textual.widgets import Footer


class KeyFooter(Footer):
    """Textual's footer, one line high, and filled from the start even in a window without the focus, such as
    a pane beside an editor or a browser's background tab.
    """

    def __init__(self, *, show_command_palette: bool = False) -> None:
        """Without the palette's key, since the other keys fill 80 columns on most screens."""
        super().__init__(compact=True, show_command_palette=show_command_palette)

    def bindings_changed(self, screen: Screen) -> None:
        self._bindings_ready = True
        if self.is_attached and screen is self.screen:
            self.call_after_refresh(self.recompose)
