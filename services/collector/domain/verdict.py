"""Who made an answer: a person or a mail scanner? Decided, and decided again, from stored observations.

Scanners fetch every link of a mail within seconds of its arrival, run scripts and press buttons; people
open one link and take their time. Observations that follow each other closely are a burst. An answer is
judged by the burst in which its page was rendered, by how it was sent, and by the trap link that no person
can see. A person who answers ten minutes after a gateway's burst belongs to another burst and is a person.

Each piece of evidence weighs 1 to 3 points; 3 make a machine, 2 are unclear. Both are held back.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from shared.contracts.responses import Verdict

RULES = 1
"""Number of this set of rules; a stored verdict of an older one is made anew."""

BURST_GAP = timedelta(seconds=10)
SCORES_WITHIN = timedelta(seconds=10)
MISTAP = timedelta(seconds=2)
"""Two scores of one address further apart than this may be a person who tapped the wrong one first."""
AFTER_HAND_OVER = timedelta(seconds=5)
FASTEST_PERSON = timedelta(seconds=1)
"""A page cannot be loaded, seen and sent by a person in less."""
READING_TIME = timedelta(seconds=10)
TRAP_MEMORY = timedelta(minutes=2)
CROWD = 3
MACHINE_AT = 3
UNCLEAR_AT = 2


class Sighting(StrEnum):
    """What somebody did with a link short of answering; also the metric label."""

    OPENED = "opened"
    HEAD = "head"
    TRAP = "trap"
    STALE = "stale"
    UNSIGNED = "unsigned"
    LATE = "late"
    CONTACT_WANTED = "contact_wanted"


class Agent(StrEnum):
    """Class of the program that asked, all that is kept of its name."""

    BROWSER = "browser"
    TOOL = "tool"
    NONE = "none"


class Evidence(StrEnum):
    """Why an answer is taken for a machine's or, last, for a person's after all."""

    HONEYPOT_FILLED = "honeypot_filled"
    TOO_FAST = "too_fast"
    TRAP_OPENED = "trap_opened"
    ALL_SCORES_OPENED = "all_scores_opened"
    SEVERAL_SCORES_OPENED = "several_scores_opened"
    TWO_SCORES_OPENED = "two_scores_opened"
    RIGHT_AFTER_HAND_OVER = "right_after_hand_over"
    HEAD_FIRST = "head_first"
    SEVERAL_ADDRESSES = "several_addresses"
    FORGED_NONCE = "forged_nonce"
    NO_BROWSER = "no_browser"
    TOOK_TIME = "took_time"


WEIGHTS: dict[Evidence, int] = {
    Evidence.HONEYPOT_FILLED: 3,
    Evidence.TOO_FAST: 3,
    Evidence.TRAP_OPENED: 3,
    Evidence.ALL_SCORES_OPENED: 3,
    Evidence.SEVERAL_SCORES_OPENED: 3,
    Evidence.TWO_SCORES_OPENED: 2,
    Evidence.RIGHT_AFTER_HAND_OVER: 2,
    Evidence.HEAD_FIRST: 1,
    Evidence.SEVERAL_ADDRESSES: 1,
    Evidence.FORGED_NONCE: 2,
    Evidence.NO_BROWSER: 1,
    Evidence.TOOK_TIME: -1,
}


@dataclass(frozen=True, slots=True)
class Observation:
    """One sighting of a link. `address` is a keyed hash that means nothing outside its survey."""

    at: datetime
    kind: Sighting
    address: str
    agent: Agent = Agent.BROWSER
    score: int | None = None


@dataclass(frozen=True, slots=True)
class Sent:
    """How an answer came in.

    Attributes:
        rendered_at: When its page was rendered, by the signed nonce; None for the API, which has no page.
        honeypot: A field that no person sees was filled.
        words: The person wrote something.
    """

    at: datetime
    address: str
    rendered_at: datetime | None
    agent: Agent = Agent.BROWSER
    honeypot: bool = False
    words: bool = False


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What is known around an answer.

    Attributes:
        observations: All of the survey, in any order.
        handed_over: When mails or text messages went out, reminders included; other channels have no delay.
        scores: How many values the primary scale has.
    """

    observations: Sequence[Observation] = ()
    handed_over: Sequence[datetime] = ()
    scores: int = 11


@dataclass(frozen=True, slots=True)
class Judgement:
    """The verdict with its reasons."""

    verdict: Verdict
    evidence: tuple[Evidence, ...]


def judge(sent: Sent, around: Surroundings) -> Judgement:
    """Decide who made an answer; the same arguments always give the same judgement."""
    seen = sorted(around.observations, key=lambda one: one.at)
    burst = burst_around(seen, sent.rendered_at or sent.at)
    evidence = (*_of_sending(sent), *_of_burst(burst, sent, around), *_of_traps(seen, burst, sent))
    if evidence and _took_time(sent):
        evidence = (*evidence, Evidence.TOOK_TIME)
    points = sum(WEIGHTS[one] for one in evidence)
    if points >= MACHINE_AT:
        return Judgement(Verdict.MACHINE, evidence)
    return Judgement(Verdict.UNCLEAR if points >= UNCLEAR_AT else Verdict.HUMAN, evidence)


def burst_around(seen: Sequence[Observation], at: datetime) -> list[Observation]:
    """The observations that `at` belongs to: a chain without a pause longer than `BURST_GAP`."""
    burst: list[Observation] = []
    for one in seen:
        if burst and one.at - burst[-1].at > BURST_GAP:
            if burst[-1].at + BURST_GAP >= at:
                break
            burst = []
        burst.append(one)
    if not burst or not burst[0].at - BURST_GAP <= at <= burst[-1].at + BURST_GAP:
        return []
    return burst


def _of_sending(sent: Sent) -> Iterable[Evidence]:
    if sent.honeypot:
        yield Evidence.HONEYPOT_FILLED
    if sent.rendered_at is not None:
        if sent.at - sent.rendered_at < FASTEST_PERSON:
            yield Evidence.TOO_FAST
        # A company's own front end answers by the API, and is no browser by right.
        if sent.agent is not Agent.BROWSER:
            yield Evidence.NO_BROWSER


def _of_burst(burst: Sequence[Observation], sent: Sent, around: Surroundings) -> Iterable[Evidence]:
    yield from _of_scores(burst, around.scores)
    if _head_first(burst, sent):
        yield Evidence.HEAD_FIRST
    if len({one.address for one in burst}) >= CROWD:
        yield Evidence.SEVERAL_ADDRESSES
    if _right_after(around.handed_over, sent.rendered_at or sent.at):
        yield Evidence.RIGHT_AFTER_HAND_OVER
    if any(one.kind is Sighting.UNSIGNED and one.address == sent.address for one in burst):
        yield Evidence.FORGED_NONCE


def _right_after(handed_over: Sequence[datetime], started: datetime) -> bool:
    """Before the first hand-over counts too: gateways open links before they say that they took the mail."""
    if not handed_over:
        return False
    return started < min(handed_over) or any(at <= started < at + AFTER_HAND_OVER for at in handed_over)


def _of_scores(burst: Sequence[Observation], scale: int) -> Iterable[Evidence]:
    """How many scores were opened together; a person opens one, or two after a slip of the thumb."""
    opened = [one for one in burst if one.score is not None]
    together = max((_scores_from(opened, start) for start in range(len(opened))), key=len, default=[])
    distinct = {one.score for one in together}
    if len(distinct) >= scale:
        yield Evidence.ALL_SCORES_OPENED
    elif len(distinct) > 2 or (len(distinct) == 2 and not _slip(together)):  # noqa: PLR2004 - one slip is two scores
        yield Evidence.SEVERAL_SCORES_OPENED
    elif len(distinct) == 2:  # noqa: PLR2004
        yield Evidence.TWO_SCORES_OPENED


def _scores_from(opened: Sequence[Observation], start: int) -> list[Observation]:
    until = opened[start].at + SCORES_WITHIN
    return [one for one in opened[start:] if one.at <= until]


def _slip(together: Sequence[Observation]) -> bool:
    first = together[0]
    change = next(one for one in together if one.score != first.score)
    return change.at - first.at >= MISTAP and len({one.address for one in together}) == 1


def _head_first(burst: Sequence[Observation], sent: Sent) -> bool:
    """A HEAD before the first GET of the address that answered: browsers never do that."""
    own = [one for one in burst if one.address == sent.address]
    return bool(own) and own[0].kind is Sighting.HEAD


def _of_traps(seen: Sequence[Observation], burst: Sequence[Observation], sent: Sent) -> Iterable[Evidence]:
    """The trap counts against its own burst, and against its own address for a while."""
    for one in seen:
        if one.kind is not Sighting.TRAP:
            continue
        if one in burst or (one.address == sent.address and abs(sent.at - one.at) <= TRAP_MEMORY):
            yield Evidence.TRAP_OPENED
            return


def _took_time(sent: Sent) -> bool:
    return (
        sent.words
        and not sent.honeypot
        and sent.rendered_at is not None
        and sent.at - sent.rendered_at >= READING_TIME
    )


_TOOLS = (
    "bot", "crawl", "spider", "scan", "curl", "wget", "python", "httpx", "aiohttp", "go-http", "java/",
    "okhttp", "libwww", "headless", "phantom", "preview", "barracuda", "mimecast", "proofpoint", "safelinks",
)  # fmt: skip


def agent_of(name: str) -> Agent:
    """Class of a User-Agent header."""
    lower = name.lower()
    if not lower.strip():
        return Agent.NONE
    return Agent.TOOL if any(word in lower for word in _TOOLS) or "mozilla/" not in lower else Agent.BROWSER
