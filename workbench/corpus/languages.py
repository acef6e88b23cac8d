"""The language of a text, by py3langid: letter sequences of 139 languages, a model in the package itself."""

from __future__ import annotations

from functools import cache
from typing import Any

from py3langid.langid import MODEL_FILE, LanguageIdentifier

SURE = 0.8
"""Probability from which a language counts as known. Of 11,785 sentences of 40 to 300 characters in 31
languages 16 were then taken for another language, 11 of them Chinese; of 5,000 lines of English about
programming none.
"""
_JUDGED_BY = 300  # characters


def language_of(text: str) -> str:
    """The code of a text's language (ISO 639-1, such as "nl"), by its beginning; "" where it is not sure."""
    language, probability = _identifier().classify(text[:_JUDGED_BY])
    return str(language) if probability >= SURE else ""


@cache
def _identifier() -> Any:
    # the model takes some tenths of a second to unpack, and 100 MB
    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
