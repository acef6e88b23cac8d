"""Hashes of the documents that a model was trained on and of those held out: is a test still unseen?

A model that starts from another run's model was trained on that run's text too, so a run's file also holds
what its base was trained on. The file lies in the run's folder, and in a folder that a run was exported to.
"""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from workbench.private import write_whole

if TYPE_CHECKING:
    import numpy as np

FILE = "documents.npz"
_CHECKPOINTS, _EXPORTED = "checkpoints", "recipe.toml"


@dataclass(frozen=True)
class DocumentHashes:
    """Hashes of a run's documents, uint64, in the order of each side. Equal hashes: equal tokens.

    before: of the documents that its base model was trained on; None: a file of an earlier version, which
    does not say. before_known: False where that text is not known, or has other tokens. Hashes can be
    compared only with those that the same tokenizer made. corpus: the fingerprint of the whole text.
    """

    train: np.ndarray
    test: np.ndarray
    tokenizer_fingerprint: str
    before: np.ndarray | None = None
    before_known: bool = True
    corpus: str = ""

    @property
    def seen(self) -> np.ndarray:
        """All that the run's models were trained on, as far as this file says."""
        import numpy as np

        return self.train if self.before is None else np.union1d(self.train, self.before)


class Stream(Protocol):
    """All tokens of one side of a text: ids (tokens,), and where each document begins, and the end."""

    @property
    def ids(self) -> np.ndarray: ...
    @property
    def offsets(self) -> np.ndarray: ...


def remember_documents(
    run_folder: Path,
    streams: tuple[Stream, Stream] | None,
    *,
    corpus: str,
    tokenizer_fingerprint: str,
    base: str,
) -> int:
    """Write the hashes of both sides, train first, into the run's folder, unless they are there. Returns how
    many test documents the base was trained on, as far as is known; 0 if nothing was written.

    corpus: the text's fingerprint. base: the model that the run starts from: a checkpoint's folder, an
    exported one, or any other model.
    """
    import numpy as np

    file = run_folder / FILE
    if file.exists() or not run_folder.is_dir() or streams is None:
        return 0
    before, known = _trained_on(base, tokenizer_fingerprint)
    train, test = (document_hashes(stream) for stream in streams)
    write_documents(file, DocumentHashes(train, test, tokenizer_fingerprint, before, known, corpus))
    return int(np.isin(test, before).sum())


def write_documents(file: Path, hashes: DocumentHashes) -> None:
    """Write a file that `documents_of` reads. Raises OSError."""
    import numpy as np

    facts = {
        "tokenizer_fingerprint": hashes.tokenizer_fingerprint,
        "corpus": hashes.corpus,
        "before_known": hashes.before_known,
    }
    written = io.BytesIO()
    arrays: dict[str, Any] = {
        "facts": np.frombuffer(json.dumps(facts).encode(), np.uint8),
        "train": hashes.train,
        "test": hashes.test,
    }
    if hashes.before is not None:
        arrays["before"] = hashes.before
    np.savez(written, **arrays)
    write_whole(file, written.getvalue())


def documents_of(folder: Path) -> DocumentHashes | None:
    """What `remember_documents` wrote; None where it did not, or where it cannot be read."""
    import numpy as np

    try:
        with np.load(folder / FILE, allow_pickle=False) as arrays:
            facts = json.loads(arrays["facts"].tobytes())
            return DocumentHashes(
                arrays["train"],
                arrays["test"],
                str(facts["tokenizer_fingerprint"]),
                arrays.get("before"),
                bool(facts.get("before_known", True)),
                str(facts.get("corpus", "")),
            )
    except (OSError, ValueError, KeyError, zipfile.BadZipFile):
        return None


def document_hashes(stream: Stream, documents: int | None = None) -> np.ndarray:
    """A 64-bit hash of the tokens of each document, or of the first `documents`: uint64 (documents,)."""
    import numpy as np

    offsets = stream.offsets if documents is None else stream.offsets[: documents + 1]
    digests = [
        hashlib.blake2b(stream.ids[start:end].astype("<i4").tobytes(), digest_size=8).digest()
        for start, end in pairwise(offsets.tolist())
    ]
    return np.frombuffer(b"".join(digests), dtype="<u8").astype(np.uint64)


def _trained_on(base: str, tokenizer_fingerprint: str) -> tuple[np.ndarray, bool]:
    """Hashes of what a base model was trained on here, and whether that is all known.

    What a model from elsewhere was trained on is nobody's to know, and counts as nothing.
    """
    import numpy as np

    nothing = np.empty(0, np.uint64)
    folder = Path(base)
    if not folder.is_dir():
        return nothing, True
    folder = folder.absolute()
    of_a_run = folder.parent.name == _CHECKPOINTS
    documents = documents_of(folder.parent.parent if of_a_run else folder)
    if documents is None:
        return nothing, not (of_a_run or (folder / _EXPORTED).is_file())
    same = documents.tokenizer_fingerprint == tokenizer_fingerprint
    # an earlier version's file does not say what its own base was trained on: `lineage` follows it then
    return (
        documents.seen if same else nothing,
        same and documents.before is not None and documents.before_known,
    )
