"""The console on all of the screen."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType

from workbench.tui.actions import bindings
from workbench.tui.console.mask_console import MaskConsole
from workbench.tui.console.session import Session
from workbench.tui.screen import TitleBar, WorkbenchScreen
from workbench.tui.widgets.key_footer import KeyFooter

HELP = """
Write [MASK] where a word is missing, in the way of any model: it becomes the model's own mask. Each bar is
the probability of that word in that place, the other masks being masked as well. Of several masks you also
see the words that fit best together: for each the mean probability of a word, given the others.

Surprise: each word masked in turn. Bits say how unexpected it is (1 bit: one in 2; 10 bits: one in 1,000);
the pseudo-perplexity is 2 to the mean. Words are parted by ·, where the model reads them in parts.

Words: a word of several tokens gets as many masks, filled from left to right; its probability is among
words of as many tokens. Beside: the model that the run started from, then its checkpoints, so that you see
what training changed. Up and down bring back what was asked before, also on other days.
"""


class ConsoleScreen(WorkbenchScreen):
    """A title, the console, the keys."""

    TITLE = "Fill masks"
    HELP = HELP
    BINDINGS: ClassVar[list[BindingType]] = bindings("console")

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session

    def compose(self) -> ComposeResult:
        yield TitleBar()
        yield MaskConsole(self._session)
        yield KeyFooter()

    def on_mount(self) -> None:
        self.query_one(MaskConsole).take_focus()

    def on_mask_console_described(self, event: MaskConsole.Described) -> None:
        self.query_one(TitleBar).show("Fill masks", *event.parts)

    def on_mask_console_left(self) -> None:
        self.workbench.action_leave_screen()

    def action_help(self) -> None:
        self.workbench.open_help()
