"""How well the encoding of a text is found: languages × legacy encodings × lengths, and other detectors.

`python -m bench.encodings [--each N] [--others]`: N texts of each kind (usually 10). --others:
the detectors that are installed beside ours (chardet alone, charset-normalizer, cchardet, chardetng_py,
resiliparse). The prose is that of the message catalogs in /usr/share/locale; nothing of it is kept.
"""

from __future__ import annotations

import argparse
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from importlib import import_module

from bench.encoding_samples import Sample, samples
from workbench.corpus.encoding_guess import LEAST_SURE, guess

LENGTHS = (100, 1_000, 10_000)  # bytes
_SAME = {"shift_jis": "cp932", "tis_620": "cp874", "gb2312": "gb18030", "gbk": "gb18030", "cp950": "big5"}
"""What is read by its superset, whose few other signs are no mistake."""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m bench.encodings", description=__doc__)
    parser.add_argument("--each", type=int, default=10)
    parser.add_argument("--others", action="store_true")
    options = parser.parse_args()
    texts = [one for one in samples(LENGTHS, options.each) if not one.content.isascii()]
    print(*_ours(texts), sep="\n")
    if options.others:
        print(*_others(texts), sep="\n")


def _ours(texts: list[Sample]) -> Iterator[str]:
    """A row for each language and encoding: right, refused, wrong at each length."""
    found: dict[tuple[str, str], dict[int, Counter[str]]] = defaultdict(lambda: defaultdict(Counter))
    began = time.process_time()
    for one in texts:
        found[one.language, one.encoding][one.length][_judged(one)] += 1
    seconds = time.process_time() - began
    total: dict[int, Counter[str]] = defaultdict(Counter)
    yield "| language | encoding | " + " | ".join(f"{length:,} bytes" for length in LENGTHS) + " |"
    yield "| --- | --- |" + " --- |" * len(LENGTHS)
    for (language, encoding), by_length in found.items():
        cells = []
        for length in LENGTHS:
            counts = by_length[length]
            total[length] += counts
            cells.append("–" if not counts else " / ".join(str(counts[word]) for word in _WORDS))
        yield f"| {language} | {encoding} | {' | '.join(cells)} |"
    cells = [" / ".join(str(total[length][word]) for word in _WORDS) for length in LENGTHS]
    yield f"| all | | {' | '.join(cells)} |"
    yield f"\n{' / '.join(_WORDS)}; {1000 * seconds / len(texts):.0f} ms a text."


_WORDS = ("right", "refused", "wrong")


def _judged(one: Sample) -> str:
    found = guess(one.content)
    if found is None or found.sure < LEAST_SURE:
        return "refused"
    same = found.encoding == _SAME.get(one.encoding)
    return "right" if same or found.text == one.text else "wrong"


def _others(texts: list[Sample]) -> Iterator[str]:
    """The share that each detector reads rightly, at each length; they refuse nothing."""
    yield "\n| detector | " + " | ".join(f"{length:,} bytes" for length in LENGTHS) + " | ms a text |"
    yield "| --- |" + " --- |" * (len(LENGTHS) + 1)
    for name, detect in _detectors():
        right, every = Counter[int](), Counter[int]()
        began = time.process_time()
        for one in texts:
            encoding = detect(one.content)
            every[one.length] += 1
            right[one.length] += encoding is not None and _reads(one, encoding)
        seconds = time.process_time() - began
        cells = [f"{right[length] / every[length]:.1%}" for length in LENGTHS]
        yield f"| {name} | {' | '.join(cells)} | {1000 * seconds / len(texts):.1f} |"


def _reads(one: Sample, encoding: str) -> bool:
    try:
        return one.content.decode(encoding) == one.text or encoding.lower() == _SAME.get(one.encoding)
    except (LookupError, UnicodeDecodeError):
        return False


def _detectors() -> Iterator[tuple[str, Callable[[bytes], str | None]]]:
    def ours(content: bytes) -> str | None:
        found = guess(content)
        return found and found.encoding

    yield "ours, without refusing", ours
    ways: dict[str, tuple[str, Callable[..., Callable[[bytes], str | None]]]] = {
        "chardet": ("chardet", lambda module: lambda content: module.detect(content)["encoding"]),
        "charset-normalizer": (
            "charset_normalizer",
            lambda module: lambda content: getattr(module.from_bytes(content).best(), "encoding", None),
        ),
        "faust-cchardet": ("cchardet", lambda module: lambda content: module.detect(content)["encoding"]),
        "chardetng_py": ("chardetng_py", lambda module: lambda content: module.detect(content)),
        "resiliparse": ("resiliparse.parse.encoding", lambda module: module.detect_encoding),
    }
    for name, (module, way) in ways.items():
        try:
            yield name, way(import_module(module))
        except ImportError:
            continue


if __name__ == "__main__":
    main()
