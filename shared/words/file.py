"""The dictionary that a deployment reads open answers with."""

from __future__ import annotations

from pathlib import Path

from shared.config.plain import plain_file
from shared.words.dictionary import Dictionary

_SHIPPED = Path(__file__).parent / "dictionary.yaml"


def dictionary_of(path: Path | None) -> Dictionary:
    """The dictionary in a file, or the shipped one.

    Raises:
        AfterwordError: the file cannot be used; the message names the place.
    """
    return plain_file(
        Dictionary,
        path or _SHIPPED,
        "AFTERWORD_DICTIONARY",
        begins="themes:",
        described="docs/scores.md",
    )
