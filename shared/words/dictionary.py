"""The dictionary of themes and feelings: what is looked for in open answers, as an operator writes it.

A word stands for all its forms: it is stemmed (Snowball) as the answers are, without accents where people
leave them out. `leverans*` stands for all that begins so, which compound words need. A phrase is found where
its words come in order with at most two others in between.
"""

from __future__ import annotations

import hashlib
import json
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Annotated, Literal

import snowballstemmer
from pydantic import BaseModel, ConfigDict, Field

Language = Literal["en", "es", "sv"]
LANGUAGES: tuple[Language, ...] = ("en", "es", "sv")

_ALGORITHMS: Mapping[Language, str] = {"en": "english", "es": "spanish", "sv": "swedish"}
_KEPT: Mapping[Language, str] = {"en": "", "es": "ñ", "sv": "åäö"}
"""Letters that are letters of their own; what is above any other is left out by people in a hurry."""

GAP = 2
"""Words that may stand between two of a phrase."""

_REMEMBERED = 20_000
"""Words whose stems are not looked up again."""

_HEAD = 3
"""Letters by which beginnings are looked up."""

Entries = list[
    Annotated[str, Field(max_length=80, pattern=r"^([^\s*]{3,}\*|[^\s*]+)( ([^\s*]{3,}\*|[^\s*]+))*$")]
]


class Theme(BaseModel):
    """One theme: its name, the team that it concerns (R80), and the words that tell of it."""

    model_config = ConfigDict(extra="forbid")

    key: str = Field(pattern=r"^[a-z][a-z0-9_]{1,39}$")
    name: dict[Language, str]
    team: str = ""
    words: dict[Language, Entries]


class Feeling(BaseModel):
    """The words of one language that tell how somebody feels, and those that it is known by."""

    model_config = ConfigDict(extra="forbid")

    good: Entries
    bad: Entries
    turned_by: Entries
    """Words after which good is bad and bad is good: not, never, without."""
    kept_by: Entries = []
    """Words behind one of these that take its force away: not only, no solo, inte bara."""
    aside: Entries = []
    """Words that answer something where they begin a sentence before a comma: "No, all is well"."""
    cut_by: Entries
    """Words at which a sentence turns: but, although."""
    known_by: Entries
    """Small words that no other language has."""


class Dictionary(BaseModel):
    """All themes and feelings."""

    model_config = ConfigDict(extra="forbid")

    themes: list[Theme] = Field(min_length=1)
    feelings: dict[Language, Feeling] = Field(min_length=1)
    elsewhere: Entries = []
    """Small words of languages that no dictionary is there for."""

    @property
    def version(self) -> str:
        """Changes with every word, so that answers are read again."""
        text = json.dumps(self.model_dump(mode="json"), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:12]

    @property
    def keys(self) -> tuple[str, ...]:
        """The keys of all themes."""
        return tuple(theme.key for theme in self.themes)

    def name_of(self, theme: str, locale: str) -> str:
        """A theme in the reader's language, else in English, else its key."""
        names = self.names_of(theme)
        return names.get(locale[:2]) or names.get("en") or theme

    def names_of(self, theme: str) -> Mapping[str, str]:
        """What a theme is called by language; empty where the dictionary does not have it."""
        return {
            language: name for one in self.themes if one.key == theme for language, name in one.name.items()
        }

    def team_of(self, theme: str) -> str:
        """The team that a theme concerns (R80); empty where the dictionary names none."""
        return next((one.team for one in self.themes if one.key == theme), "")


def plain(text: str, language: Language) -> str:
    """A text in lower case, without the accents that people leave out."""
    kept = _KEPT[language]
    letters = []
    for letter in unicodedata.normalize("NFC", text.casefold()):
        bare = letter if letter in kept else unicodedata.normalize("NFD", letter)[0]
        letters.append(bare)
    return "".join(letters)


@dataclass(frozen=True, slots=True)
class Phrase:
    """One entry: what it stands for, and its stems; a stem that ends in `*` stands for all that begin so."""

    means: str
    stems: tuple[str, ...]

    def said(self, stems: Sequence[str], words: Sequence[str], place: int) -> tuple[int, ...]:
        """The places of its words where it is said from this word on; else nothing."""
        if not _fits(self.stems[0], stems[place], words[place]):
            return ()
        places = [place]
        for stem in self.stems[1:]:
            near = range(places[-1] + 1, min(places[-1] + 2 + GAP, len(stems)))
            found = next((one for one in near if _fits(stem, stems[one], words[one])), None)
            if found is None:
                return ()
            places.append(found)
        return tuple(places)


def _fits(wanted: str, stem: str, word: str) -> bool:
    return word.startswith(wanted[:-1]) if wanted.endswith("*") else stem == wanted


@dataclass(frozen=True, slots=True)
class Lookup:
    """Phrases by their first stem, so that a text is read once whatever the length of the dictionary."""

    by_stem: Mapping[str, Sequence[Phrase]]
    by_beginning: Mapping[str, Sequence[Phrase]]

    def found(self, stems: Sequence[str], words: Sequence[str]) -> Iterator[tuple[tuple[int, ...], str]]:
        """Places and meaning of everything that is said."""
        for place, stem in enumerate(stems):
            for phrase in (*self.by_stem.get(stem, ()), *self.by_beginning.get(words[place][:_HEAD], ())):
                if places := phrase.said(stems, words, place):
                    yield places, phrase.means


@dataclass(frozen=True, slots=True)
class Tongue:
    """One language, ready to read with."""

    language: Language
    themes: Lookup
    feelings: Lookup
    turned_by: frozenset[str]
    kept_by: frozenset[str]
    aside: frozenset[str]
    cut_by: frozenset[str]
    known_by: frozenset[str]
    stem: Callable[[str], str]


GOOD, BAD = "good", "bad"


@dataclass(frozen=True, slots=True)
class Ready:
    """A dictionary to read with: as written, its tongues, small words of other languages, and its version."""

    written: Dictionary
    tongues: Mapping[Language, Tongue]
    elsewhere: frozenset[str]
    version: str


def compiled(dictionary: Dictionary) -> Ready:
    """The dictionary, ready to read with; a language without feelings is none."""
    tongues = {
        language: _tongue(dictionary, language) for language in LANGUAGES if language in dictionary.feelings
    }
    return Ready(
        dictionary, tongues, frozenset(plain(word, "en") for word in dictionary.elsewhere), dictionary.version
    )


@cache
def _stemmer(language: Language) -> Callable[[str], str]:
    """What makes words of a language alike, with a memory that all dictionaries share."""
    return lru_cache(_REMEMBERED)(snowballstemmer.stemmer(_ALGORITHMS[language]).stemWord)


def _tongue(dictionary: Dictionary, language: Language) -> Tongue:
    feeling = dictionary.feelings[language]
    turned_by = frozenset(plain(word, language) for word in feeling.turned_by)
    known = _stemmer(language)

    def stem(word: str) -> str:
        """A word that turns others round is no form of another one: "hardly" is not "hard"."""
        return word if word in turned_by else known(word)

    told = [(theme.key, entry) for theme in dictionary.themes for entry in theme.words.get(language, [])]
    felt = [(GOOD, entry) for entry in feeling.good] + [(BAD, entry) for entry in feeling.bad]
    return Tongue(
        language,
        _lookup(told, language, stem),
        _lookup(felt, language, stem),
        turned_by,
        frozenset(plain(word, language) for word in feeling.kept_by),
        frozenset(plain(word, language) for word in feeling.aside),
        frozenset(plain(word, language) for word in feeling.cut_by),
        frozenset(plain(word, language) for word in feeling.known_by),
        stem,
    )


def _lookup(entries: Sequence[tuple[str, str]], language: Language, stem: Callable[[str], str]) -> Lookup:
    by_stem: dict[str, list[Phrase]] = {}
    by_beginning: dict[str, list[Phrase]] = {}
    for means, entry in entries:
        words = plain(entry, language).split()
        stems = tuple(word if word.endswith("*") else stem(word) for word in words)
        phrase = Phrase(means, stems)
        if stems[0].endswith("*"):
            by_beginning.setdefault(stems[0][:_HEAD], []).append(phrase)
        else:
            by_stem.setdefault(stems[0], []).append(phrase)
    return Lookup(by_stem, by_beginning)
