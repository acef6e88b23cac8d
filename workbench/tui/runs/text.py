"""The list's texts: its help, why it is empty, and two lines on one run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from workbench.display import numbers
from workbench.display.run import STAR, short_name
from workbench.display.where import brief_waiting, where
from workbench.text import printable
from workbench.tui.runs.panel import summary

if TYPE_CHECKING:
    from workbench.store.run_lines import RunLine

HELP = """
All runs in this database. Each run is a process of its own: it continues when you quit this program, close
the terminal or lose the connection. Actions apply to the marked runs (◆), or to the one under the cursor
when none is marked.

curve, test, best: perplexity on held-out text, its last and its lowest value. Lower is better, but values
at different chunk sizes or mask probabilities are not comparable; yardstick is one test for all runs.

Filter: words, "several words", status:finished tag:x model:y data:z name:v note:w star:yes archived:yes (or
all); numbers as chunk:128 mask:0.15 epochs:3 batch:16 seed:42 id:7, or compared as ppl:<50 best:<50 yard:<50
base:>900 time:>10m lr:>=1e-4; several values with commas; - before what must not be: -status:failed,crashed.
"""
EMPTY = """\
No runs yet.

Press  n  for a new run: the form opens with the starter, a small
model and text that need no network. Ctrl+S starts it.

Press  c  to fill masks with the starter as it is.
Press  ?  for all keys."""
NOTHING_FOUND = """\
No run matches.

Esc  clears the filter.   /  edits it.{archived}"""
ALL_ARCHIVED = """\
All runs are archived.

Press  A  to see them, n  for a new run."""


def detail(line: RunLine, width: int, standstill: str = "") -> Text:
    """Two lines on the run under the cursor: status and results, or the error."""
    star = f" {STAR}" if line.starred else ""
    first = Text(f"{numbers.clip(printable(line.name), width // 2)}{star}  ", "bold", no_wrap=True, end="")
    parts = [summary(line, standstill)]
    if line.place_engine:
        parts.append(where(line))
    if line.baseline_perplexity is not None:
        parts.append(f"{numbers.perplexity(line.baseline_perplexity)} before training")
    first.append(numbers.clip(printable(" · ".join(parts)), width - first.cell_len), "not bold")
    recipe = line.recipe
    said = "waits: " if line.job else ""
    if waits := brief_waiting(line, width - len(said)):
        second = said + waits
    elif line.error:
        second = f"{line.error.partition(chr(10))[0]} {line.error_hint or ''}"
    else:
        second = (
            f"{short_name(recipe.model)} on {short_name(recipe.dataset)} · batch {recipe.batch_size} · "
            f"lr {numbers.decimal(recipe.learning_rate)} · seed {recipe.seed}"
        )
        second += f" · {' '.join(line.tags)}" if line.tags else ""
        second += f" · “{line.note}”" if line.note else ""
    return first.append("\n").append(numbers.clip(printable(second), width), "not bold")
