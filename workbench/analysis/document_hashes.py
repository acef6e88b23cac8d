"""Which documents a run held out and which it trained on, by their hashes: is a test still unseen?"""

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
    """Hashes of a run's documents, uint64, in the order of each side. Equal hashes: equal tokens.

    They can be compared only with those that the same tokenizer made.
    """

    train: np.ndarray
    test: np.ndarray
    tokenizer_fingerprint: str


def remember_documents(run_folder: Path, corpus: Corpus, tokenizer_fingerprint: str) -> None:
    """Write the hashes of both sides into the run's folder, unless they are there."""
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
    """What `remember_documents` wrote; None where it did not, or where it cannot be read."""
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

    # the stream's tail is in no chunk: a document that lies in it is left out, the last one may be cut
    ids = side.ids.reshape(-1)
    digests = [
        hashlib.blake2b(ids[start:end].astype("<i4").tobytes(), digest_size=8).digest()
        for start, end in zip(side.offsets[:-1].tolist(), side.offsets[1:].tolist(), strict=True)
    ]
    return np.frombuffer(b"".join(digests), dtype="<u8").astype(np.uint64)
