"""Text to chunks: seconds per million tokens, this project's way and the notebook's, at growing corpus sizes.

`python -m bench.preparation ours|tutorial FOLDER COPIES` prints JSON: seconds, tokens, peak_bytes. Everything
from the file to chunks that can be trained on is counted; importing the libraries and loading the tokenizer
are not. Nothing is cached: each starts in an empty cache.
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from bench import workload
from bench.turns import peak_memory


def ours(folder: Path, copies: int) -> dict[str, Any]:
    """This project's prepare_corpus; `again_seconds`: the second time, from its cache."""
    import numpy.random  # noqa: F401 - a library that would be imported at its first use, and counted

    from workbench.corpus import prepare_corpus
    from workbench.pretrained.tokenizer import load_tokenizer
    from workbench.recipe import Recipe

    recipe = Recipe.parse(workload.recipe_values(folder, "distilbert", 64, copies))
    tokenizer = load_tokenizer(recipe.model, None)
    with TemporaryDirectory(dir=folder) as cache:
        seconds = []
        for _ in range(2):
            began = time.perf_counter()
            corpus = prepare_corpus(
                recipe, tokenizer, max_chunk=None, cache=Path(cache), listen=lambda event: None
            )
            seconds.append(time.perf_counter() - began)
    tokens = corpus.train.tokens + corpus.test.tokens
    return {
        "seconds": seconds[0],
        "again_seconds": seconds[1],
        "tokens": tokens,
        "peak_bytes": peak_memory(),
    }


def tutorial(folder: Path, copies: int) -> dict[str, Any]:
    """The notebook's two maps. Tokens that its grouping drops are counted as prepared."""
    with TemporaryDirectory(dir=folder) as cache:
        os.environ["HF_DATASETS_CACHE"] = cache
        import datasets

        from bench import tutorial as notebook

        datasets.disable_progress_bars()
        text = workload.text_file(folder, copies)
        began = time.perf_counter()
        chunks = notebook.prepare(
            text,
            workload.model_folder(folder, "distilbert"),
            chunk_size=workload.CHUNK_SIZE,
            test_size=workload.TEST_DOCUMENTS,
            seed=workload.SEED,
        )
        seconds = time.perf_counter() - began
        tokens = sum(side.num_rows for side in chunks.values()) * workload.CHUNK_SIZE
    return {"seconds": seconds, "tokens": tokens, "peak_bytes": peak_memory()}


if __name__ == "__main__":
    measure = {"ours": ours, "tutorial": tutorial}[sys.argv[1]]
    print(json.dumps(measure(Path(sys.argv[2]), int(sys.argv[3]))))
