"""Hashes of a run's training and test documents, to check that a test is unseen by another run."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from workbench.private import write_whole

if TYPE_CHECKING:
    import numpy as np

    from workbench.corpus import ChunkTable, Corpus

FILE = "documents.npz"


@dataclass(frozen=True)
class DocumentHashes:
    """Hashes of a run's documents, uint64, in the order of each side. Equal hashes mean equal tokens.

    Only hashes of the same tokenizer can be compared.
    """

    train: np.ndarray
    test: np.ndarray
    tokenizer_fingerprint: str


def remember_documents(run_folder: Path, corpus: Corpus, tokenizer_fingerprint: str) -> None:
    """Write the hashes of both sides into the run's folder, unless they exist."""
    import numpy as np

    file = run_folder / FILE
    if file.exists() or not run_folder.is_dir():
        return
    facts = json.dumps({"tokenizer_fingerprint": tokenizer_fingerprint, "corpus": corpus.fingerprint})
    written = io.BytesIO()
    np.savez(
        written,
        train=_hashes(corpus.train),
        test=_hashes(corpus.test),
        facts=np.frombuffer(facts.encode(), np.uint8),
    )
    write_whole(file, written.getvalue())


def documents_of(run_folder: Path) -> DocumentHashes | None:
    """The hashes that `remember_documents` wrote; None if they are missing or unreadable."""
    import numpy as np

    try:
        with np.load(run_folder / FILE, allow_pickle=False) as arrays:
            facts = json.loads(arrays["facts"].tobytes())
            return DocumentHashes(arrays["train"], arrays["test"], str(facts["tokenizer_fingerprint"]))
    except (OSError, ValueError, KeyError, zipfile.BadZipFile):
        return None


def _hashes(side: ChunkTable) -> np.ndarray:
    """A 64-bit hash of each document's tokens: uint64 (documents,)."""
    import numpy as np

    # no chunk contains the stream's tail: documents in it are left out, and the last one may be cut
    ids = side.ids.reshape(-1)
    digests = [
        hashlib.blake2b(ids[start:end].astype("<i4").tobytes(), digest_size=8).digest()
        for start, end in zip(side.offsets[:-1].tolist(), side.offsets[1:].tolist(), strict=True)
    ]
    return np.frombuffer(b"".join(digests), dtype="<u8").astype(np.uint64)
