"""What the list does to the chosen runs: star, rename, tag, note, archive, duplicate."""

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
_MOST_NAMED = 6
"""Fields named in one message."""


def stop(screen: WorkbenchScreen, lines: Lines) -> None:
    active = [line for line in lines if line.status in ACTIVE]
    if active:
        run_jobs.stop(screen, *active)


def resume(screen: WorkbenchScreen, lines: Lines) -> None:
    ended = [line for line in lines if line.status in RESUMABLE]
    if ended:
        run_jobs.resume(screen, *ended)


def star(screen: WorkbenchScreen, lines: Lines) -> None:
    """Star all, or unstar them if all have a star."""
    starred = not all(line.starred for line in lines)
    said = f"{'Starred' if starred else 'Unstarred'} {_subject(lines, inside=True)}."
    _edit(screen, lines, "star", _ids(lines), starred, said=said)


def archive(screen: WorkbenchScreen, lines: Lines) -> None:
    """Archive all, or bring them back if all are archived."""
    archived = not all(line.archived for line in lines)
    verb = "is" if len(lines) == 1 else "are"
    what = "archived; A shows archived runs" if archived else "back from the archive"
    _edit(screen, lines, "archive", _ids(lines), archived, said=f"{_subject(lines)} {verb} {what}.")


def rename(screen: WorkbenchScreen, line: RunLine) -> None:
    def answered(name: str | None) -> None:
        if name is not None and name.strip() != line.name:
            said = f"Run {line.id} is now “{name.strip()}”."
            _edit(screen, [line], "rename", line.id, name, said=said)

    _ask(screen, f"Name of run {line.id}", line.name, "Its folder keeps its name.", answered)


def tags(screen: WorkbenchScreen, lines: Lines) -> None:
    hint = "Separate tags with blanks or commas. +tag adds one, -tag removes it."
    if len(lines) > 1:
        hint += f" Without + or -, they replace the tags of all {len(lines)} runs."

    def answered(text: str | None) -> None:
        if text is None:
            return
        try:
            change = tag_change(text)
        except UsageError as error:
            screen.tell_error(error)
            return
        said = f"Changed the tags of {_subject(lines, inside=True)}."
        _edit(screen, lines, "retag", _ids(lines), change, said=said)

    value = " ".join(lines[0].tags) if len(lines) == 1 else ""
    _ask(screen, f"Tags of {_subject(lines, inside=True)}", value, hint, answered)


def note(screen: WorkbenchScreen, lines: Lines) -> None:
    hint = "Anything worth remembering. The filter searches notes too."
    if len(lines) > 1:
        hint += f" It replaces the notes of all {len(lines)} runs."

    def answered(text: str | None) -> None:
        if text is not None:
            said = f"{'Changed' if text else 'Removed'} the note on {_subject(lines, inside=True)}."
            _edit(screen, lines, "note", _ids(lines), text, said=said)

    value = lines[0].note if len(lines) == 1 else ""
    _ask(screen, f"Note on {_subject(lines, inside=True)}", value, hint, answered)


async def duplicate(screen: WorkbenchScreen, line: RunLine) -> None:
    """Open the form with the run's recipe."""
    from workbench.recipe import Recipe, as_stored
    from workbench.store.past import IMPORTED

    try:
        run = screen.workbench.store.run(line.id)
        await screen.workbench.open_form(Recipe.parse(as_stored(run.recipe)))
    except WorkbenchError as error:
        screen.tell_error(error)
        return
    unknown = [name for name in Recipe.model_fields if name not in run.recipe]
    unknown.sort(key=lambda name: name not in ("model", "dataset"))
    if IMPORTED in run.environment and unknown:
        named = ", ".join(unknown[:_MOST_NAMED]) + (" …" if len(unknown) > _MOST_NAMED else "")
        screen.tell(
            f"Run {run.id} was imported without {len(unknown)} fields, which have their defaults: {named}",
            warning=True,
        )


def tag_change(text: str) -> Callable[[list[str]], list[str]]:
    """The change of a list of tags that a typed line asks for. Raises UsageError when it mixes both ways."""
    words = [word for word in re.split(r"[\s,]+", text) if word]
    changes = [word for word in words if word[0] in "+-"]
    if not changes:
        return lambda tags: words
    if len(changes) != len(words):
        raise UsageError(
            "Put + or - before all tags, or before none.",
            "+tag adds, -tag removes; tags alone replace all.",
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


def _ids(lines: Lines) -> list[int]:
    return [line.id for line in lines]
