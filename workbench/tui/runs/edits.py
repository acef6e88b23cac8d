"""What the list of runs does to the chosen ones: stars, names, tags, notes, archiving, copies."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from workbench.errors import UsageError, WorkbenchError
from workbench.status import ACTIVE, RESUMABLE
from workbench.tui.screen import WorkbenchScreen
from workbench.tui.widgets import run_jobs

if TYPE_CHECKING:
    from workbench.store.run_lines import RunLine

Lines = Sequence["RunLine"]


def stop(screen: WorkbenchScreen, lines: Lines) -> None:
    going = [line for line in lines if line.status in ACTIVE]
    if going:
        run_jobs.stop(screen, *going)


def resume(screen: WorkbenchScreen, lines: Lines) -> None:
    ended = [line for line in lines if line.status in RESUMABLE]
    if ended:
        run_jobs.resume(screen, *ended)


def star(screen: WorkbenchScreen, lines: Lines) -> None:
    """A star for all; taken away where all have one."""
    starred = not all(line.starred for line in lines)
    said = f"{_subject(lines)} {_has(lines)} {'a star' if starred else 'no star any more'}."
    _edit(screen, lines, "star", _ids(lines), starred, said=said)


def archive(screen: WorkbenchScreen, lines: Lines) -> None:
    """Out of sight; back where all are archived."""
    archived = not all(line.archived for line in lines)
    verb = "is" if len(lines) == 1 else "are"
    what = "archived; A shows archived runs" if archived else "back from the archive"
    _edit(screen, lines, "archive", _ids(lines), archived, said=f"{_subject(lines)} {verb} {what}.")


def rename(screen: WorkbenchScreen, line: RunLine) -> None:
    def answered(name: str | None) -> None:
        if name is not None and name.strip() != line.name:
            said = f"Run {line.id} is called “{name.strip()}” now."
            _edit(screen, [line], "rename", line.id, name, said=said)

    _ask(screen, f"A name for run {line.id}", line.name, "Its folder keeps the name it has.", answered)


def tags(screen: WorkbenchScreen, lines: Lines) -> None:
    hint = "Words, with blanks or commas between them. +word adds one, -word takes it away."
    if len(lines) > 1:
        hint += f" Words alone replace the tags of all {len(lines)}."

    def answered(text: str | None) -> None:
        if text is None:
            return
        try:
            change = tag_change(text)
        except UsageError as error:
            screen.tell_error(error)
            return
        said = f"{_subject(lines)} {_has(lines)} other tags now."
        _edit(screen, lines, "retag", _ids(lines), change, said=said)

    value = " ".join(lines[0].tags) if len(lines) == 1 else ""
    _ask(screen, f"Tags of {_subject(lines, inside=True)}", value, hint, answered)


def note(screen: WorkbenchScreen, lines: Lines) -> None:
    hint = "What you want to remember. The filter finds its words."
    if len(lines) > 1:
        hint += f" It replaces the notes of all {len(lines)}."

    def answered(text: str | None) -> None:
        if text is not None:
            said = f"{_subject(lines)} {_has(lines)} {'a note' if text else 'no note'} now."
            _edit(screen, lines, "note", _ids(lines), text, said=said)

    value = lines[0].note if len(lines) == 1 else ""
    _ask(screen, f"A note on {_subject(lines, inside=True)}", value, hint, answered)


async def duplicate(screen: WorkbenchScreen, line: RunLine) -> None:
    """The form, filled in with the run's recipe."""
    from workbench.recipe import Recipe

    try:
        await screen.workbench.open_form(Recipe.parse(screen.workbench.store.run(line.id).recipe))
    except WorkbenchError as error:
        screen.tell_error(error)


def tag_change(text: str) -> Callable[[list[str]], list[str]]:
    """What a typed line does to a list of tags. Raises UsageError when it says two things at once."""
    words = [word for word in re.split(r"[\s,]+", text) if word]
    changes = [word for word in words if word[0] in "+-"]
    if not changes:
        return lambda tags: words
    if len(changes) != len(words):
        raise UsageError(
            "Either all words have + or - before them, or none has.",
            "+word adds a tag, -word takes it away; words alone replace all tags.",
        )
    added = [word[1:] for word in changes if word[0] == "+"]
    taken = {word[1:] for word in changes if word[0] == "-"}
    return lambda tags: [tag for tag in [*tags, *added] if tag not in taken]


def _ask(
    screen: WorkbenchScreen, question: str, value: str, hint: str, answered: Callable[[str | None], None]
) -> None:
    from workbench.tui.widgets.ask_line import AskLine

    screen.app.push_screen(AskLine(question, value, hint), answered)


def _edit(screen: WorkbenchScreen, lines: Lines, change: str, *arguments: Any, said: str) -> None:
    run_jobs.edit(screen, getattr(screen.workbench.store.catalog, change), *arguments, runs=lines, said=said)


def _subject(lines: Lines, *, inside: bool = False) -> str:
    if len(lines) == 1:
        return f"{'run' if inside else 'Run'} {lines[0].id} “{lines[0].name}”"
    return f"{len(lines)} runs"


def _has(lines: Lines) -> str:
    return "has" if len(lines) == 1 else "have"


def _ids(lines: Lines) -> list[int]:
    return [line.id for line in lines]
