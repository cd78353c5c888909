"""Traces: what machines and people do with the links of one mail, as data.

A file is YAML. `cast` names those who act, `traces` is a list of:

- `name`, `source` (the report or document that tells of it, or why it is expected),
- `steps`, each with `at` (seconds after the mail was handed over; negative: before), `by` (of the cast), `do`
  (one action or several), `link` (one or several) and, where they matter, `apart` (seconds between links),
  `dwell` (seconds between the actions on one link) and what is sent: `score`, `words`, `honeypot`, `nonce`,
- `ends`: `nothing` (no answer was recorded), `held` (recorded, counts nowhere, people may look at it) or
  `counted`, then with the `score` that counts,
- `because`: evidence that must be among the reasons of the version that stands.

Actions: `head`, `get` (the page alone), `open` (as a browser: with what belongs to the page, redirects
followed), `send` (the form of the page that the same actor got by the same link), `one_click` (the POST of
RFC 8058). Links: a score as a number, `page`, `edit`, `trap`, `stop`, `image`, `closed`; `scores` stands for
all scores and `all` for every link of the mail.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

import yaml

FOLDER = Path(__file__).parent
SCORES = tuple(range(11))
Link: TypeAlias = int | str


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts: a program at an address.

    Attributes:
        agent: Its User-Agent header.
        place: Name of the address; actors at one place share it.
        styles: It loads style sheets.
        hand: What the page's script would say of it: `touched`, `none`, `driven`; empty: it runs none.
    """

    agent: str
    place: str
    styles: bool = True
    hand: str = ""


@dataclass(frozen=True, slots=True)
class Sending:
    """What is sent with a form; a score of None leaves what the page chose beforehand."""

    score: int | None = None
    words: str = ""
    honeypot: bool = False
    nonce: str = "own"


@dataclass(frozen=True, slots=True)
class Step:
    """One request, or one page with what belongs to it."""

    at: float
    by: str
    do: str
    link: Link
    sending: Sending = Sending()


@dataclass(frozen=True, slots=True)
class Trace:
    """One mail's story; `score` is the one that counts at the end."""

    name: str
    source: str
    human: bool
    cast: Mapping[str, Actor]
    steps: tuple[Step, ...]
    ends: str
    score: int | None = None
    because: tuple[str, ...] = field(default=())


def load(file: str, *, human: bool) -> list[Trace]:
    """The traces of a file, steps in order of time."""
    text = (FOLDER / file).read_text(encoding="utf-8")
    whole = yaml.load(text, Loader=yaml.CSafeLoader)
    agents: Mapping[str, str] = whole["agents"]
    cast = {
        name: Actor(**{**actor, "agent": agents[actor["agent"]]}) for name, actor in whole["cast"].items()
    }
    return [_trace(one, cast, human=human) for one in whole["traces"]]


def machines() -> list[Trace]:
    """Mail gateways and other programs."""
    return load("machines.yaml", human=False)


def people() -> list[Trace]:
    """People, alone or amid machines."""
    return load("people.yaml", human=True)


def _trace(one: Mapping[str, Any], cast: Mapping[str, Actor], *, human: bool) -> Trace:
    steps = sorted((step for given in one["steps"] for step in _steps(given)), key=lambda step: step.at)
    return Trace(
        name=one["name"], source=one["source"], human=human, cast=cast, steps=tuple(steps), ends=one["ends"],
        score=one.get("score"), because=tuple(one.get("because", ())),
    )  # fmt: skip


def _steps(given: Mapping[str, Any]) -> Iterator[Step]:
    known = {"at", "by", "do", "link", "apart", "dwell", "score", "words", "honeypot", "nonce"}
    assert set(given) <= known, given
    sent = {"score", "words", "honeypot", "nonce"} & set(given)
    sending = Sending(**{name: given[name] for name in sent})
    for number, link in enumerate(_links(given["link"])):
        for turn, do in enumerate(_many(given["do"])):
            at = given["at"] + number * given.get("apart", 0.1) + turn * given.get("dwell", 0)
            yield Step(at, given["by"], do, link, sending)


def _links(given: Link | Sequence[Link]) -> Sequence[Link]:
    if given == "scores":
        return SCORES
    if given == "all":
        return (*SCORES, "trap", "stop", "page")
    return _many(given)


def _many(given: Any) -> Sequence[Any]:
    return given if isinstance(given, list) else [given]
