"""The console, full screen."""

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
Write [MASK] where a word is missing; it becomes the model's own mask token. Each bar is the probability of a
word there while the other masks stay masked. For several masks, the best combinations follow: the mean
probability of each word given the others.

Surprisal: each token is masked in turn. Bits say how unexpected it is (1 bit: one in 2; 10 bits: one in
1,000); the pseudo-perplexity is 2 to the mean. A · separates the tokens of one word.

Limit: only the words you list. A word of several tokens gets as many masks, filled left to right; its
probability is among words of as many tokens. Compare: beside the run's base model, then beside its
checkpoints, to see what training changed. Up and down recall earlier sentences, also of earlier days.
"""


class ConsoleScreen(WorkbenchScreen):
    """Title, console, footer."""

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
