"""Every action and its keys, in one table: the bindings, the footer, the help page, the palette and
docs/reference.md all come from it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

from textual.app import App
from textual.binding import Binding, BindingType
from textual.dom import DOMNode
from textual.screen import Screen


class Action(NamedTuple):
    """What one or more keys do in one place of the program."""

    name: str
    """Unique in its place; `PLACE.NAME` is the binding's id, by which its keys can be remapped."""
    keys: str
    """As Textual names them, with commas between."""
    title: str = ""
    """One or two words, in the footer and the palette; "": in neither."""
    what: str = ""
    """One line for the help page, the palette and the reference; "": in none of them."""
    call: str = ""
    """The method behind it, without `action_`; "": the one called as the action is."""
    display: str | None = None
    """How the first key is written, where Textual's own way is long."""
    footer: bool = True
    """Whether the footer shows it, if it has a title."""
    first: bool = False
    """Whether it comes before what the focused widget does with the key."""


_help_only = partial(Action, footer=False)

_HELP = Action("help", "question_mark,f1", "Help", "All keys of this screen", display="?")
_QUIT = Action("quit", "q", "Quit", "Quit; running trainings continue", call="app.leave")
_BACK = Action(
    "back", "escape,q", "Back", "Back to the screen before", call="app.leave_screen", display="Esc"
)
_SAVE = Action("save", "s", "Save", "Write the sweep as CSV, JSON, Markdown or SVG")
_EXTEND = Action("extend", "e", "Extend", "Queue more values, seeds or trials")
_PAUSE = Action("pause", "p", "Pause", "Start no more of its runs; again: continue")
_ONE_DOWN = Action("next", "j", call="move(1)")
_ONE_UP = Action("previous", "k", call="move(-1)")
_SCROLL_DOWN = Action("scroll_down", "j", call="scroll_by(1)")
_SCROLL_UP = Action("scroll_up", "k", call="scroll_by(-1)")
_CLOSE = Action("close", "escape,q,enter", "Close")
_PICKS = (
    Action("down", "down,ctrl+n", call="move(1)"),
    Action("up", "up,ctrl+p", call="move(-1)"),
    Action("page_down", "pagedown", call="move(8)"),
    Action("page_up", "pageup", call="move(-8)"),
)
"""Keys of a list whose words are typed: letters are no keys there."""

TABLE: dict[str, tuple[Action, ...]] = {
    "app": (
        _help_only("command_palette", "ctrl+p", "Palette", "Find any action by name"),
        _help_only("suspend_process", "ctrl+z", "Suspend", "Back to the shell; fg returns"),
        _help_only("console_dock", "f5", "Console", "Open or close the console at the bottom"),
        _help_only("console_full", "f4", "Console", "The console on the whole screen"),
        _help_only("leave", "ctrl+q", "Quit", "Quit; running trainings continue", first=True),
    ),
    "runs": (
        Action("open", "enter", "Open", "Watch the run: curves, progress, log", display="⏎"),
        # before the focused list: what is typed right after it goes to the form
        Action("new_run", "n", "New", "Set up and start a new run", first=True),
        Action("filter", "slash", "Filter", "Show only runs that match what you type", display="/"),
        Action("sort", "s", "Sort", "Choose the column to sort by"),
        Action("mark", "space", "Mark", "Mark or unmark the run", display="␣"),
        Action("compare", "equals_sign", "Compare", "Compare the marked runs", display="="),
        Action("stop", "x", "Stop", "Stop; a checkpoint is saved first"),
        Action("resume", "r", "Resume", "Continue a stopped run from its last checkpoint"),
        Action("delete", "d", "Del", "Delete runs with their checkpoints and logs (asks)"),
        Action("undo", "u", "Undo", "Bring back the runs deleted last"),
        Action("console", "c", "Fill", "Fill masks with the model of this run"),
        _HELP,
        _QUIT,
        _help_only("reverse", "S", "Reverse", "Reverse the sort order"),
        _help_only("mark_all", "M", "Mark all", "Mark all runs in sight, or none"),
        _help_only("star", "asterisk", "Star", "Add or remove a star", display="*"),
        _help_only("rename", "e,f2", "Rename", "Rename the run", display="e"),
        _help_only("tags", "t", "Tags", "Edit tags"),
        _help_only("note", "N", "Note", "Edit the note"),
        _help_only("duplicate", "y", "Duplicate", "A new run with this one's recipe"),
        _help_only("archive", "z", "Archive", "Archive runs, or bring them back"),
        _help_only("show_archived", "A", "Archived", "Show or hide archived runs"),
        Action(
            "sweeps", "w", "Sweeps", "Sweeps: grids of runs, and which is best", "app.sweeps", footer=False
        ),
        _help_only("cancel", "X", "Cancel", "Cancel jobs of a cluster at once (asks)"),
        _help_only("requeue", "R", "Requeue", "Put running jobs of a cluster back into the queue"),
        _help_only("script", "b", "Script", "The script of the run's job"),
        _help_only("panel", "p", "Panel", "Show or hide the panel beside the list"),
        _help_only("clear", "escape", "Clear", "Clear the filter, then the marks"),
    ),
    "runs.table": (
        Action("up", "up,k", what="One run up", call="move(-1)"),
        Action("down", "down,j", what="One run down", call="move(1)"),
        Action("page_up", "pageup,ctrl+u,ctrl+b", what="A page up", call="page(-1)"),
        Action("page_down", "pagedown,ctrl+d,ctrl+f", what="A page down", call="page(1)"),
        Action("top", "home,g", what="To the first run", call="move(-1000000000)"),
        Action("bottom", "end,G", what="To the last run", call="move(1000000000)"),
        Action("right", "right,l", what="Columns further right", call="columns(1)"),
        Action("left", "left,h", what="Columns further left", call="columns(-1)"),
    ),
    "runs.filter": (
        _help_only("clear", "escape", "Clear"),
        _help_only("leave", "down", "To the list"),
    ),
    "runs.sort": (Action("leave", "escape,q,s", "Back"), _ONE_DOWN, _ONE_UP),
    "form": (
        Action("start", "ctrl+s", "Start", "Start the run and watch it"),
        Action("preset", "ctrl+t", "Preset", "Next preset: all fields take its values"),
        Action("fold", "ctrl+o", "Fold", "Open all groups, or fold them"),
        Action("pick", "ctrl+l", "Pick", "Pick a dataset, or at its field a model, from this machine"),
        Action("preview", "f2", "Preview", "Show or hide the text with its masks; count it", display="F2"),
        Action("save_preset", "f3", "Save", "Save all fields as a preset", display="F3"),
        _help_only("statistics", "f6", "Text", "Statistics of the text: documents, lengths, …"),
        _help_only("script", "f7", "Script", "The script of the job, where the run is for a cluster"),
        _help_only("delete_preset", "f8", "Delete", "Delete this saved preset (asks)"),
        Action("copy", "ctrl+y", "Copy", "Copy the command line that starts this run"),
        _help_only("next", "down,enter,j", "Next", "Next field", "go(1)", display="↓"),
        _help_only("previous", "up,k", "Previous", "Previous field", "go(-1)", display="↑"),
        Action(
            "preview_down", "pagedown", "Down", "Scroll the preview down", "scroll_preview(1)", footer=False
        ),
        _help_only("preview_up", "pageup", "Up", "Scroll the preview up", "scroll_preview(-1)"),
        Action("back", "escape", "Back", "Back without starting", "app.leave_screen", display="Esc"),
        _HELP._replace(display="F1"),
    ),
    "form.choice": (
        Action("previous", "left,h", call="step(-1)"),
        Action("next", "right,l,space", call="step(1)"),
        _help_only("keep", "comma", "Keep", "At a choice: keep this word and add another", display=","),
    ),
    "form.group": (Action("fold", "enter,space,right,left,l,h"),),
    "form.statistics": (_CLOSE._replace(keys="escape,q,enter,f6"), _SCROLL_DOWN, _SCROLL_UP),
    "form.source": (
        Action("leave", "escape", "Back"),
        *_PICKS,
        Action("complete", "tab", first=True),
    ),
    "form.save": (Action("dismiss", "escape", "Back"),),
    "live": (
        Action("back", "escape,h,left", "Back", "Back to the list", display="Esc"),
        Action("axis", "y", "Axis", "Logarithmic or linear perplexity axis"),
        Action("smooth", "s", "Smooth", "Smooth the train curve more, then not at all", "smooth(1)"),
        _help_only("smooth_less", "S", "Smooth less", "Smooth the train curve less", "smooth(-1)"),
        Action("zoom", "z,plus", "Zoom", "Show only the last part of the curves", "zoom(1)", "z"),
        _help_only("zoom_out", "Z,minus", "Zoom out", "Show more of the curves", "zoom(-1)", "Z"),
        Action("panels", "p", "Panels", "Learning rate, gradient, throughput, GPU, memory; phases"),
        _help_only("log", "l", "Log", "More log or more curve"),
        Action("find", "slash", "Find", "Search the log", display="/"),
        _help_only("find_next", "n", "Next match", "The match above", "find_next(-1)"),
        _help_only("find_previous", "N", "Previous match", "The match below", "find_next(1)"),
        Action("console", "c", "Fill", "Fill masks with the newest checkpoint; training continues"),
        Action("stop", "x", "Stop", "Stop this run; a checkpoint is saved first"),
        Action("resume", "r", "Resume", "Continue a stopped run from its last checkpoint"),
        _help_only("cancel", "X", "Cancel", "Cancel this run's job on a cluster at once (asks)"),
        _help_only("requeue", "R", "Requeue", "Put this run's job back into the queue"),
        _help_only("script", "b", "Script", "The script of this run's job"),
        _help_only("delete", "d", "Delete", "Delete this run, its checkpoints and its log (asks)"),
        _HELP,
        _QUIT,
        _help_only("log_down", "j,down", "Log down", "Log one line down", "scroll_log(1)"),
        _help_only("log_up", "k,up", "Log up", "Log one line up", "scroll_log(-1)"),
        Action(
            "log_start", "g,home", "Log start", "To the first line of the log", "log_end(-1)", footer=False
        ),
        _help_only("log_end", "G,end", "Log end", "To the last line, and follow it", "log_end(1)"),
    ),
    "live.search": (Action("close", "escape"),),
    "console": (Action("help", "f1", "Help", "All keys of this screen", display="F1"),),
    "console.dock": (
        Action("full", "f4", "Full", "The console on the whole screen", "app.console_full", "F4"),
    ),
    "console.line": (
        Action("mask", "ctrl+t", "Mask", "Insert [MASK] at the cursor"),
        _help_only("recall", "up", "Previous", "The sentence before", "recall(True)", "↑"),
        Action("recall_next", "down", call="recall(False)"),
        Action("history", "ctrl+r", "History", "Search earlier sentences"),
        Action("surprisal", "ctrl+s", "Surprisal", "How unexpected each word is; again: fill masks"),
        Action("words", "ctrl+l", "Limit", "Allow only some words in the masks"),
        Action("pick", "ctrl+o", "Models", "Choose runs, checkpoints or models to query"),
        Action("beside", "ctrl+g", "Compare", "Alone, beside its base, beside its checkpoints"),
        _help_only("top_k", "ctrl+n", "Top", "Show 5, 10 or 20 words for each mask"),
        _help_only("copy", "ctrl+y", "Copy", "Copy the filled sentence, over SSH too (OSC 52)"),
        _help_only("scroll_up", "pageup", "Up", "Answers up", "scroll(-5)"),
        _help_only("scroll_down", "pagedown", "Down", "Answers down", "scroll(5)"),
        Action("back", "escape", "Back", "Close the console", display="Esc"),
    ),
    "console.pick_history": (Action("leave", "escape,ctrl+r", "Back"), *_PICKS),
    "console.pick_model": (
        Action("leave", "escape,ctrl+o", "Back"),
        *_PICKS,
        Action("mark", "tab", first=True),
    ),
    "compare": (
        Action("axis", "b", "By steps/tokens/time", "Curves by steps, by tokens seen, or by time"),
        Action("curve", "t", "Test/train", "The test curves, or the train curves"),
        Action("log", "y", "Log/linear", "Logarithmic or linear axis"),
        Action("which", "w", "Last/best", "Rank the last checkpoints, or the best"),
        _help_only("down", "j,down", "Scroll", "A line down", "scroll(1)", "j"),
        _help_only("up", "k,up", "Scroll back", "A line up", "scroll(-1)", "k"),
        Action("page_down", "ctrl+d,pagedown,space", what="A page down", call="page(1)"),
        Action("page_up", "ctrl+u,pageup", what="A page up", call="page(-1)"),
        Action("top", "g,home", what="To the top", call="edge(-1)"),
        Action("bottom", "G,end", what="To the end", call="edge(1)"),
        _HELP,
        _BACK._replace(what="Back to the list"),
    ),
    "sweeps": (
        Action("open", "enter,l", "Open", "The sweep's map and metrics", display="⏎"),
        Action("new", "n", "New", "The form: lists in its fields make a sweep"),
        _PAUSE,
        Action("trim", "t", "Trim", "Drop all its waiting runs (asks)"),
        _EXTEND,
        Action("earlier", "K,ctrl+up", "Up", "Start its runs before another sweep's", "shift(-1)", "K"),
        Action("later", "J,ctrl+down", "Down", "Start its runs after another sweep's", "shift(1)", "J"),
        _SAVE,
        _help_only("next", "j", "Next", "The next sweep", "move(1)"),
        _help_only("previous", "k", "Previous", "The sweep before", "move(-1)"),
        _HELP,
        _BACK._replace(what="Back to the runs"),
    ),
    "sweep": (
        Action("open", "enter", "Open", "Watch a run of this recipe", display="⏎"),
        Action("axes", "a", "Axes", "The next two fields against each other"),
        Action("view", "v", "View", "Next page: recipes, effect of each field, curves"),
        _PAUSE,
        Action("trim", "t", "Trim", "Drop the waiting runs of this recipe (asks)"),
        _help_only("trim_all", "T", "Trim all", "Drop all waiting runs (asks)"),
        _EXTEND,
        Action("earlier", "K,ctrl+up", "Up", "Start this recipe's runs earlier", "shift(-1)", "K"),
        Action("later", "J,ctrl+down", "Down", "Start this recipe's runs later", "shift(1)", "J"),
        _SAVE,
        Action("page_down", "ctrl+d,pagedown,space", what="A page down", call="page(1)"),
        Action("page_up", "ctrl+u,pageup", what="A page up", call="page(-1)"),
        _HELP,
        _BACK,
    ),
    "sweep.map": (
        _help_only("down", "down,j", "Down", "To the cell below", "move(1, 0)", "j"),
        _help_only("up", "up,k", "Up", "To the cell above", "move(-1, 0)", "k"),
        _help_only("right", "right,l", "Right", "To the next cell", "move(0, 1)", "l"),
        _help_only("left", "left,h", "Left", "To the cell before", "move(0, -1)", "h"),
        Action("first", "home,g", what="To the first cell", call="edge(-1)"),
        Action("last", "end,G", what="To the last cell", call="edge(1)"),
    ),
    "sweep.pick_run": (Action("leave", "escape,q", "Back"), _ONE_DOWN, _ONE_UP),
    "confirm": (
        Action("yes", "y", "Yes", call="answer(True)"),
        Action("no", "n,escape,q,enter", "No", call="answer(False)"),
    ),
    "ask": (Action("leave", "escape", "Back"),),
    "text": (_CLOSE, _SCROLL_DOWN, _SCROLL_UP),
    "help": (_CLOSE._replace(keys="escape,question_mark,f1,q,enter"), _SCROLL_DOWN, _SCROLL_UP),
}
"""The actions of each place: a screen, a dialog, or a widget with keys of its own."""

REFERENCE: dict[str, tuple[str, ...]] = {
    "Everywhere": ("app",),
    "Runs": ("runs", "runs.table"),
    "New run": ("form", "form.choice"),
    "A run": ("live",),
    "Console": ("console", "console.dock", "console.line"),
    "Compare": ("compare",),
    "Sweeps": ("sweeps",),
    "A sweep": ("sweep", "sweep.map"),
}
"""The sections of the keys' reference, and the places that each is made of."""

_NAMES = {
    **{"⏎": "Enter", "home": "Home", "end": "End", "esc": "Esc", "escape": "Esc"},
    **{"pageup": "PgUp", "pgup": "PgUp", "pagedown": "PgDn", "pgdn": "PgDn"},
}


def bindings(place: str) -> list[BindingType]:
    """The bindings of a place, for its class."""
    return [
        Binding(
            action.keys,
            action.call or action.name,
            action.title,
            show=action.footer and bool(action.title),
            key_display=action.display,
            priority=action.first,
            tooltip=action.what,
            id=f"{place}.{action.name}",
        )
        for action in TABLE[place]
    ]


@dataclass(frozen=True, slots=True)
class Key:
    """What an action is called, what it does, and the keys that do it."""

    action: str
    title: str
    what: str
    keys: tuple[str, ...]
    owner: DOMNode
    """Whose action it is."""


def keys_of(screen: Screen[Any]) -> list[Key]:
    """The keys that have an explanation: the screen's, then those of its focused widget and of what contains
    it, then the program's.
    """
    keys: dict[str, Key] = {}
    for owner, binding in _bindings(screen):
        if not binding.tooltip:
            continue
        shown = shown_key(screen.app, binding)
        action = binding.action.removeprefix("app.")
        before = keys.get(action)
        shown_keys = before.keys if before else ()
        keys[action] = Key(
            before.action if before else binding.action,
            binding.description,
            binding.tooltip,
            shown_keys if shown in shown_keys else (*shown_keys, shown),
            before.owner if before else owner,
        )
    return list(keys.values())


def _bindings(screen: Screen[Any]) -> Iterator[tuple[DOMNode, Binding]]:
    around = screen.focused.ancestors_with_self if screen.focused else [screen, screen.app]
    owners = [screen, *(owner for owner in around if owner not in (screen, screen.app)), screen.app]
    for owner in owners:
        for _, binding in owner._bindings:
            yield owner, binding


def shown_key(app: App[Any], binding: Binding) -> str:
    """How a key is written on the screen."""
    # Several keys of one binding share its key_display, which names only the first of them.
    key = binding.key_display if binding.key_display and len(binding.key_display) < 4 else None
    shown = key or app.get_key_display(binding)
    return _NAMES.get(shown, shown)
