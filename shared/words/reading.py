"""What an open answer is about and how it is meant: the score first, the text second (R70).

Who gives a 2 is unhappy, however politely it is put; so the tone of an answer is that of its score. Only
where the score says neither, the text decides. Each theme has a tone of its own: that of the part of the
sentence it is named in ("support is great, but the invoices are never right").
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from shared.words.dictionary import GOOD, Language, Ready, Tongue, plain


class Tone(StrEnum):
    """How something is meant."""

    NEGATIVE = "negative"
    NEUTRAL = "neutral"
    POSITIVE = "positive"


@dataclass(frozen=True, slots=True)
class Reading:
    """What was read in an open answer.

    Attributes:
        language: "en", "es" or "sv"; "" for another, of which nothing but the score can be told.
        tone: of the whole answer.
        themes: theme -> its tone.
        at_odds: the text says the contrary of the score.
    """

    language: str
    tone: Tone
    themes: Mapping[str, Tone]
    at_odds: bool

    @property
    def complaints(self) -> tuple[str, ...]:
        """The themes that are not praised."""
        return tuple(theme for theme, tone in self.themes.items() if tone is not Tone.POSITIVE)


_MOODS: Mapping[str | None, Tone] = {"unhappy": Tone.NEGATIVE, "happy": Tone.POSITIVE}
_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)?")
_SENTENCE = re.compile(r"[.!?;:\n]+")
_BEFORE = 3
"""Words before a feeling in which it can be turned round."""


def read(text: str, asked_in: str, mood: str | None, dictionary: Ready) -> Reading:
    """Read an open answer.

    Args:
        text: what was written, in one or several fields.
        asked_in: language of the survey; taken for that of the answer where the answer does not tell.
        mood: of the answer by its score: "unhappy", "passive", "happy"; None where there is none.
        dictionary: what is looked for.
    """
    by_score = _MOODS.get(mood, Tone.NEUTRAL)
    language = language_of(text, asked_in, dictionary)
    if language is None:
        return Reading("", by_score, {}, at_odds=False)
    tongue = dictionary.tongues[language]
    parts = [_felt(words, tongue) for words in _parts(text, tongue)]
    said = sum(felt for felt, _ in parts)
    by_text = _tone(said)
    tone = by_text if by_score is Tone.NEUTRAL else by_score
    at_odds = by_score is not Tone.NEUTRAL and by_text is not Tone.NEUTRAL and by_text is not by_score
    return Reading(language, tone, _themes(parts, tone), at_odds)


def _themes(parts: Iterable[tuple[int, Sequence[str]]], tone: Tone) -> dict[str, Tone]:
    """The tone of each theme: of the parts that it is named in; where they tell nothing, of the answer."""
    felt: dict[str, int] = {}
    for feeling, named in parts:
        for theme in named:
            felt[theme] = felt.get(theme, 0) + feeling
    return {theme: _tone(feeling) if feeling else tone for theme, feeling in sorted(felt.items())}


def _tone(felt: int) -> Tone:
    return Tone.POSITIVE if felt > 0 else Tone.NEGATIVE if felt < 0 else Tone.NEUTRAL


def _felt(words: Sequence[str], tongue: Tongue) -> tuple[int, Sequence[str]]:
    """How a part of a sentence is meant, as good words less bad ones, and the themes in it."""
    stems = [tongue.stem(word) for word in words]
    felt, taken = 0, set[int]()
    # The longest first: "could be better" is not better.
    for places, means in sorted(tongue.feelings.found(stems, words), key=lambda one: -len(one[0])):
        if taken.isdisjoint(places):
            taken.update(places)
            felt += 1 if (means == GOOD) is not _turned(words, places[0], tongue) else -1
    return felt, sorted({means for _, means in tongue.themes.found(stems, words)})


def _turned(words: Sequence[str], place: int, tongue: Tongue) -> bool:
    """Whether a word shortly before turns the feeling round; "not only" does not."""
    return any(
        words[one] in tongue.turned_by and words[one + 1] not in tongue.kept_by
        for one in range(max(0, place - _BEFORE), place)
    )


def _parts(text: str, tongue: Tongue) -> Iterator[list[str]]:
    """Sentences, cut where they turn, as plain words."""
    for sentence in _SENTENCE.split(plain(text, tongue.language)):
        part: list[str] = []
        first, comma, rest = sentence.partition(",")
        said = rest if comma and first.strip() in tongue.aside else sentence
        for word in _WORD.findall(said):
            if word in tongue.cut_by:
                yield part
                part = []
            else:
                part.append(word.replace("’", "'"))
        yield part


def language_of(text: str, asked_in: str, dictionary: Ready) -> Language | None:
    """The language of a text, told by its small words; None for one that no dictionary is there for."""
    best = next((one for one in dictionary.tongues if one == asked_in[:2].lower()), None)
    most = 0
    for language, tongue in dictionary.tongues.items():
        known = sum(word in tongue.known_by for word in _WORD.findall(plain(text, language)))
        if known > most or (known == most and language == asked_in[:2].lower()):
            best, most = (language, known) if known else (best, most)
    elsewhere = sum(word in dictionary.elsewhere for word in _WORD.findall(plain(text, "en")))
    return None if elsewhere > most else best
