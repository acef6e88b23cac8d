"""`fetch`: bring model, data and prepared text into the caches before a training that has no network."""

from __future__ import annotations

import typer

from workbench.cli.bar import Bar, quiet_libraries
from workbench.cli.options import ConfigOption, Db, PresetOption, open_store
from workbench.cli.output import say
from workbench.cli.settings import flagged, takes_fields
from workbench.cli.train import chosen_recipe
from workbench.events import CorpusReady, Event, Message, PhaseChanged
from workbench.inference.resolve import resolve_model
from workbench.paths import cache_folder


@takes_fields(flagged)
def fetch(
    context: typer.Context,
    *,
    preset: PresetOption = None,
    config: ConfigOption = None,
    changes: dict[str, str],
    db: Db = None,
) -> None:
    """Fetch what a training with these options reads: the model, the data and the prepared text.

    `train --on PLACE` does it by itself, on the machine where it is called.
    """
    recipe = chosen_recipe(preset, config, changes)

    quiet_libraries()
    from workbench.training.fetch import fetch as fetch_all

    with Bar() as bar:

        def listen(event: Event) -> None:
            bar(event)
            if isinstance(event, PhaseChanged):
                bar.begin(event.phase)
            elif isinstance(event, Message):
                say(event.text)
            elif isinstance(event, CorpusReady):
                kept = "was prepared before" if event.from_cache else "is prepared"
                say(
                    f"The text {kept}: {event.train_tokens + event.test_tokens:,} tokens in {cache_folder()}."
                )

        name = recipe.model
        path = resolve_model(open_store(context, db), model=name).path if name.startswith("run:") else None
        fetch_all(recipe, listen, cache=cache_folder(), model=path)
    say(f"The model {recipe.model} and the text {recipe.dataset} are ready to train without a network.")
