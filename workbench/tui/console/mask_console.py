"""The console, docked or full screen: an input line and up to four answers."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar, cast

from textual import work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.message import Message
from textual.widgets import Input

from workbench.errors import WorkbenchError
from workbench.inference.candidates import split_words
from workbench.inference.resolve import resolve_model
from workbench.text import printable
from workbench.tui.actions import bindings
from workbench.tui.console.answer_text import best_text
from workbench.tui.console.fill_pane import FillPane
from workbench.tui.console.history import History
from workbench.tui.console.session import Asked, Session
from workbench.tui.host import Host

if TYPE_CHECKING:
    from workbench.tui.console.pick_model import Picked

MASK = "[MASK]"
TOP_K = (5, 10, 20)
EMPTY = """\
Type a sentence with [MASK] where a word is missing, and press Enter.
Ctrl+T inserts [MASK] at the cursor; use as many as you like.

For example:  {example}"""
EXAMPLE = "The [MASK] of the list is returned as an [MASK]."
EMPTY_SURPRISAL = """\
Type a sentence without masks, and press Enter: each word is masked in turn,
and shown with how unexpected it is to the model."""
LOADING = "Loading the model… the first answer takes a few seconds."
_PATIENCE = 0.4
"""Seconds before a pane says that it is loading; at once, it would flash."""


class MaskConsole(Vertical):
    """Queries the models of `session`, and keeps the answers there for the next console."""

    DEFAULT_CSS = """
    MaskConsole #line { margin: 0; border: round $primary; height: 3; }
    MaskConsole #line:ansi { border: round ansi_default; }
    MaskConsole #words { display: none; height: 3; border: round $secondary; }
    MaskConsole #words:ansi { border: round ansi_default; }
    MaskConsole.-words #words { display: block; }
    MaskConsole #panes { height: 1fr; }
    """
    BINDINGS: ClassVar[list[BindingType]] = bindings("console.line")

    @dataclass
    class Described(Message):
        """The present mode, in a few words."""

        parts: tuple[str, ...]

    class Left(Message):
        """The user closed the console."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self.session = session
        self.panes: list[FillPane] = []
        """One for each of the session's models, in their order. Held and not queried: a pane that was just
        made is not mounted yet, and one that was removed may be there still.
        """

    def compose(self) -> ComposeResult:
        line = Input(
            self.session.text, placeholder=f"a sentence with {MASK}", select_on_focus=False, id="line"
        )
        words = Input(placeholder="bbc, police (empty: any word)", id="words", select_on_focus=False)
        line.cursor_blink = words.cursor_blink = False
        yield line
        yield words
        yield Horizontal(id="panes")

    def on_mount(self) -> None:
        self.query_one("#words", Input).border_title = "only these words"
        self.query_one("#line", Input).cursor_position = len(self.session.text)
        self._show_models()
        self._read_history()

    @property
    def workbench(self) -> Host:
        """The app, as a screen sees it."""
        return cast(Host, self.app)

    def take_focus(self) -> None:
        """Focus the input line."""
        self.query_one("#line", Input).focus()

    # What is shown

    def _show_models(self) -> None:
        """Make panes for the session's models, with their last answers."""
        holder = self.query_one("#panes", Horizontal)
        self.app.workers.cancel_node(self)
        holder.remove_children()
        panes = self.panes = [FillPane(asked.label) for asked in self.session.models]
        for pane, asked in zip(panes, self.session.models, strict=True):
            pane.set_class(pane is not panes[0], "-beside")
            if asked.model in self.session.answers:
                pane.show_result(*self.session.answers[asked.model])
        if not panes[0].has_result:
            panes[0].say(self._welcome())
        holder.mount(*panes)
        self._describe()
        for asked in self.session.models:
            self.run_worker(self._warm(asked), group="warm")

    def _welcome(self) -> str:
        """How to ask, with a sentence of the text that the first of the runs was trained on."""
        if self.session.query.surprisal:
            return EMPTY_SURPRISAL
        run_ids = [asked.run_id for asked in self.session.models if asked.run_id is not None]
        sample = ""
        if run_ids and self.workbench.is_open:
            with suppress(WorkbenchError):  # deleted since
                sample = str(self.workbench.store.run(run_ids[0]).data.get("sample") or "")
        return EMPTY.format(example=printable(sample) or EXAMPLE)

    def _describe(self) -> None:
        query = self.session.query
        if query.surprisal:
            parts: tuple[str, ...] = ("surprisal",)
        elif query.candidates:
            parts = (f"only {', '.join(query.candidates)}",)
        else:
            parts = (f"top {query.top_k}",)
        self.post_message(self.Described((*parts, "Enter sends")))

    @work(group="history")
    async def _read_history(self) -> None:
        session = self.session
        if session.history is not None:
            return
        try:
            fills = await asyncio.to_thread(self.workbench.store.fills)
        except WorkbenchError as error:
            self._tell_error(error)
            return
        session.history = History(fill.text for fill in reversed(fills))
        line = self.query_one("#line", Input)
        last = next((fill for fill in fills if session.models[0].answered(fill.model)), None)
        if last and not session.asked and not line.value:
            self._put(last.text)
            self.panes[0].show_result(last.result)
            for pane in self.panes[1:]:
                pane.say("Press Enter to query every model again.")

    # Queries

    async def _warm(self, asked: Asked) -> None:
        """Load the model while the user is typing."""
        try:
            await self.workbench.inference.fill(await self._path(asked), MASK, 1)
        except WorkbenchError:
            return  # the query itself will report it

    async def _path(self, asked: Asked) -> str:
        resolved = await asyncio.to_thread(resolve_model, self.workbench.store, None, asked.model)
        return resolved.path

    def on_input_changed(self, event: Input.Changed) -> None:
        event.stop()
        safe = printable(event.value)
        if safe != event.value:  # pasted text may hold control characters
            event.input.value = safe
        elif event.input.id == "line":
            self.session.text = event.value

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        if event.input.id == "words":
            self._limit(split_words(event.value))
        else:
            self.ask()

    def ask(self) -> None:
        """Query every model. Earlier queries that are not answered yet are cancelled."""
        text = self.query_one("#line", Input).value.strip()
        if not text:
            return
        self.session.asked, self.session.answers = text, {}
        for number, (pane, asked) in enumerate(zip(self.panes, self.session.models, strict=True)):
            self.run_worker(self._fill(pane, asked, text), group=f"fill-{number}", exclusive=True)
        if self.session.history is not None:
            self.session.history.add(text)

    async def _fill(self, pane: FillPane, asked: Asked, text: str) -> None:
        announced = self.set_timer(_PATIENCE, lambda: pane.say(LOADING))
        try:
            answer = await self.workbench.inference.answer(await self._path(asked), text, self.session.query)
        except WorkbenchError as error:
            announced.stop()
            pane.say(f"✗ {error.message}\n{error.hint}")
            return
        finally:
            announced.stop()
        result = answer.to_json()
        self.session.answers[asked.model] = (result, answer.notes)
        pane.show_result(result, answer.notes)
        try:
            await asyncio.to_thread(
                self.workbench.store.add_fill,
                model=asked.label,
                run_id=asked.run_id,
                text=text,
                result=result,
            )
        except WorkbenchError as error:
            self._tell_error(error)

    def _ask_again(self) -> None:
        """Repeat the query in the new mode."""
        self._describe()
        if self.session.asked:
            self.ask()
        else:
            self.panes[0].say(self._welcome())

    # Keys

    def action_mask(self) -> None:
        self.query_one("#line", Input).insert_text_at_cursor(MASK)

    def action_recall(self, older: bool) -> None:
        history, line = self.session.history, self.query_one("#line", Input)
        if history is not None:
            self._put(history.older(line.value) if older else history.newer(line.value))

    def _put(self, text: str) -> None:
        line = self.query_one("#line", Input)
        line.value = text = printable(text)
        line.cursor_position = len(text)

    def action_history(self) -> None:
        from workbench.tui.console.pick_history import PickLine

        def picked(text: str | None) -> None:
            if text is not None:
                self._put(text)

        self.app.push_screen(PickLine(self.workbench.store), picked)

    def action_surprisal(self) -> None:
        query = self.session.query
        self.session.query = replace(query, surprisal=not query.surprisal)
        self._ask_again()

    def action_words(self) -> None:
        words = self.query_one("#words", Input)
        if words.has_focus:
            self._close_words()
            return
        self.add_class("-words")
        words.value = ", ".join(self.session.query.candidates)
        words.focus()

    def _close_words(self) -> None:
        self.remove_class("-words")
        self.take_focus()

    def _limit(self, words: tuple[str, ...]) -> None:
        self.session.query = replace(self.session.query, candidates=words, surprisal=False)
        self._close_words()
        self._ask_again()

    def action_top_k(self) -> None:
        top_k = self.session.query.top_k
        after = next((count for count in TOP_K if count > top_k), TOP_K[0])
        self.session.query = replace(self.session.query, top_k=after)
        self._ask_again()

    def action_pick(self) -> None:
        from workbench.tui.console.pick_model import PickModel

        self.app.push_screen(PickModel(self.workbench.store), self._picked)

    def _picked(self, picked: Picked | None) -> None:
        if picked:
            self._turn_to(picked.models, picked.subject)

    @work(group="models", exclusive=True)
    async def action_beside(self) -> None:
        session = self.session
        subject = session.subject
        if subject is None:
            self._tell("Only a run's model has a base to compare with. Ctrl+O chooses others.")
            return
        if session.models == subject.alone():
            models = subject.with_base()
        elif session.models == subject.with_base():
            saved = await asyncio.to_thread(self.workbench.store.models.saved, subject.run_id)
            models = subject.growth(saved) if len(saved) > 1 else subject.alone()
        else:
            models = subject.alone()
        self.call_later(self._turn_to, models, subject)  # it cancels this worker with the others

    def _turn_to(self, models: list[Asked], subject: object) -> None:
        from workbench.tui.console.session import Subject

        self.session.turn_to(models, subject if isinstance(subject, Subject) else None)
        self._show_models()
        if self.session.asked:
            self.call_after_refresh(self.ask)

    def action_copy(self) -> None:
        result = next((pane.result for pane in self.panes if pane.result), None)
        if result is None:
            self._tell("There is no answer to copy yet.")
            return
        if "tokens" in result:
            rows = (
                (result["text"][token["start"] : token["end"]].strip(), token["bits"])
                for token in result["tokens"]
            )
            text = "\n".join(f"{word}\t{'' if bits is None else f'{bits:.2f}'}" for word, bits in rows)
        else:
            text = best_text(result)
        self.app.copy_to_clipboard(text)
        self._tell(f"Copied, if the terminal allows it (tmux: set-clipboard on): {text[:60]}")

    def action_scroll(self, lines: int) -> None:
        for pane in self.panes:
            pane.scroll_relative(y=lines, animate=False)

    def action_back(self) -> None:
        if self.query_one("#words", Input).has_focus:
            self._close_words()
        else:
            self.post_message(self.Left())

    def _tell(self, text: str) -> None:
        self.app.notify(printable(text), markup=False)

    def _tell_error(self, error: WorkbenchError) -> None:
        self.app.notify(
            printable(error.hint), title=printable(error.message), severity="error", timeout=10, markup=False
        )
