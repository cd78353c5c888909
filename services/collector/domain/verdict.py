"""Who made an answer: a person or a mail scanner? Decided, and decided again, from stored observations.

Scanners fetch every link of a mail within seconds of its arrival, run scripts and press buttons; people
open one link and take their time. Observations that follow each other closely are a burst. An answer is
judged by the burst in which its page was rendered, by how it was sent, and by the trap link that no person
can see. A person who answers ten minutes after a gateway's burst belongs to another burst and is a person.

Some machines open one link alone, and late. What gives them away is the page: who claims to be a browser
loads its style sheet, and a page that ran its script knows whether a hand was on it.

Each piece of evidence weighs 1 to 3 points; 3 make a machine, 2 are unclear. Both are held back.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from services.collector.domain.agents import Agent
from services.collector.domain.evidence import WEIGHTS, Evidence
from shared.contracts.responses import Verdict

RULES = 2
"""Number of this set of rules; `afterword verdicts rejudge` says what it would change of older verdicts."""

BURST_GAP = timedelta(seconds=10)
SCORES_WITHIN = timedelta(seconds=10)
MISTAP = timedelta(seconds=2)
"""Two scores of one address further apart than this may be a person who tapped the wrong one first."""
AFTER_HAND_OVER = timedelta(seconds=5)
FASTEST_PERSON = timedelta(seconds=1)
"""A page cannot be loaded, seen and sent by a person in less."""
READING_TIME = timedelta(seconds=10)
TRAP_MEMORY = timedelta(minutes=2)
SLOW_SCAN = timedelta(minutes=30)
CROWD = 3
MACHINE_AT = 3
UNCLEAR_AT = 2


class Sighting(StrEnum):
    """What somebody did with a link short of answering; also the metric label."""

    OPENED = "opened"
    STYLED = "styled"
    HEAD = "head"
    TRAP = "trap"
    STALE = "stale"
    UNSIGNED = "unsigned"
    LATE = "late"
    CONTACT_WANTED = "contact_wanted"


_UNSTYLED = frozenset({Agent.TEXT, Agent.TOUCHED})
"""A text browser has no use for a style sheet; where a hand was seen, it only got lost on the way."""


@dataclass(frozen=True, slots=True)
class Observation:
    """One sighting of a link.

    Attributes:
        address: A keyed hash that means nothing outside its survey.
        page: Of a style sheet: when the page was rendered that asked for it.
    """

    at: datetime
    kind: Sighting
    address: str
    agent: Agent = Agent.BROWSER
    score: int | None = None
    page: datetime | None = None


@dataclass(frozen=True, slots=True)
class Sent:
    """How an answer came in.

    Attributes:
        rendered_at: When its page was rendered, by the signed nonce; None for the API, which has no page.
        honeypot: A field that no person sees was filled.
        words: The person wrote something.
        styled: The page asked for a style sheet of its own, so that a browser must have loaded it.
    """

    at: datetime
    address: str
    rendered_at: datetime | None
    agent: Agent = Agent.BROWSER
    honeypot: bool = False
    words: bool = False
    styled: bool = True


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
    evidence = (
        *_of_sending(sent),
        *_of_page(seen, sent),
        *_of_burst(burst, sent, around),
        *_of_visits(seen, sent),
        *_of_traps(seen, burst, sent),
    )
    if evidence and _took_time(sent):
        evidence = (*evidence, Evidence.TOOK_TIME)
    return weigh(evidence)


def weigh(evidence: tuple[Evidence, ...]) -> Judgement:
    """What evidence comes to by its weights."""
    points = sum(WEIGHTS[one] for one in evidence)
    if points >= MACHINE_AT:
        return Judgement(Verdict.MACHINE, evidence)
    return Judgement(Verdict.UNCLEAR if points >= UNCLEAR_AT else Verdict.HUMAN, evidence)


def bursts(seen: Iterable[Observation]) -> list[list[Observation]]:
    """Observations in time order, cut where there is a pause longer than `BURST_GAP`."""
    found: list[list[Observation]] = []
    for one in seen:
        if found and one.at - found[-1][-1].at <= BURST_GAP:
            found[-1].append(one)
        else:
            found.append([one])
    return found


def burst_around(seen: Sequence[Observation], at: datetime) -> list[Observation]:
    """The observations that `at` belongs to; the earlier burst where it lies between two."""
    for burst in bursts(seen):
        if burst[0].at - BURST_GAP <= at <= burst[-1].at + BURST_GAP:
            return burst
    return []


def _of_sending(sent: Sent) -> Iterable[Evidence]:
    if sent.honeypot:
        yield Evidence.HONEYPOT_FILLED
    if sent.rendered_at is not None and sent.at - sent.rendered_at < FASTEST_PERSON:
        yield Evidence.TOO_FAST


def _of_page(seen: Sequence[Observation], sent: Sent) -> Iterable[Evidence]:
    """A company's own front end answers by the API: it has no page, and is no browser by right."""
    if sent.rendered_at is None:
        return
    match sent.agent:
        case Agent.DRIVEN:
            yield Evidence.DRIVEN
        case Agent.TOOL:
            yield Evidence.NAMED_TOOL
        case Agent.TEXT | Agent.NONE:
            yield Evidence.NO_BROWSER
        case Agent.BROWSER | Agent.TOUCHED:
            pass
    if sent.styled and sent.agent not in _UNSTYLED and not _styled(seen, sent.rendered_at):
        yield Evidence.NOT_STYLED


def _styled(seen: Sequence[Observation], rendered_at: datetime) -> bool:
    """Whether this very page's style sheet was loaded, from whatever address: a browser may come by two."""
    return any(one.kind is Sighting.STYLED and one.page == rendered_at for one in seen)


def _of_burst(burst: Sequence[Observation], sent: Sent, around: Surroundings) -> Iterable[Evidence]:
    for reason in _of_scores(burst, around.scores):
        # Who touched the page itself and opened two scores, one after the other, tapped the wrong one first.
        if reason is not Evidence.TWO_SCORES_OPENED or sent.agent is not Agent.TOUCHED:
            yield reason
    if _head_first(burst, sent):
        yield Evidence.HEAD_FIRST
    if _crowd(burst):
        yield Evidence.SEVERAL_ADDRESSES
    if _right_after(around.handed_over, sent.rendered_at or sent.at):
        yield Evidence.RIGHT_AFTER_HAND_OVER
    if any(one.kind is Sighting.UNSIGNED and one.address == sent.address for one in burst):
        yield Evidence.FORGED_NONCE


def _crowd(burst: Sequence[Observation]) -> bool:
    """Several addresses at several links. One link alone is scanned so because a person clicked on it."""
    links = {(one.kind is Sighting.TRAP, one.score) for one in burst if one.kind is not Sighting.STYLED}
    return len({one.address for one in burst}) >= CROWD and len(links - {(False, None)}) > 1


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
    # Of two answers both are a slip as likely as everything: only haste tells the one from the other.
    if len(distinct) == 2 and _slip(together):  # noqa: PLR2004 - one slip is two scores
        yield Evidence.TWO_SCORES_OPENED
    elif len(distinct) >= scale:
        yield Evidence.ALL_SCORES_OPENED
    elif len(distinct) > 1:
        yield Evidence.SEVERAL_SCORES_OPENED


def _scores_from(opened: Sequence[Observation], start: int) -> list[Observation]:
    until = opened[start].at + SCORES_WITHIN
    return [one for one in opened[start:] if one.at <= until]


def _slip(together: Sequence[Observation]) -> bool:
    first = together[0]
    change = next(one for one in together if one.score != first.score)
    return change.at - first.at >= MISTAP and len({one.address for one in together}) == 1


def _of_visits(seen: Sequence[Observation], sent: Sent) -> Iterable[Evidence]:
    """A patient scanner opens score after score; what else its address did in haste is a burst's matter."""
    started = sent.rendered_at or sent.at
    near = [one for one in seen if one.score is not None and abs(one.at - started) <= SLOW_SCAN]
    alone = {one.score for one in near if one.address == sent.address and not _in_haste(one, near)}
    if len(alone) >= CROWD:
        yield Evidence.SCORES_ONE_BY_ONE


def _in_haste(one: Observation, near: Sequence[Observation]) -> bool:
    return any(other.score != one.score and abs(other.at - one.at) < MISTAP for other in near)


def _head_first(burst: Sequence[Observation], sent: Sent) -> bool:
    """A HEAD before the first GET of the address that answered: browsers never do that."""
    own = [one for one in burst if one.address == sent.address]
    return bool(own) and own[0].kind is Sighting.HEAD


def _of_traps(seen: Sequence[Observation], burst: Sequence[Observation], sent: Sent) -> Iterable[Evidence]:
    """The trap counts against its own burst, and against its own address for a while.

    Less so after a burst of many links that was over before the page was opened: gateways of the same office
    and scanners on the same desk do that, and then the person comes.
    """
    near = [one for one in seen if one.kind is Sighting.TRAP and _of_sender(one, burst, sent)]
    if any(one in burst or not _in_haste_before(one, seen, sent) for one in near):
        yield Evidence.TRAP_OPENED
    elif near:
        yield Evidence.TRAP_BEFORE


def _of_sender(one: Observation, burst: Sequence[Observation], sent: Sent) -> bool:
    return one in burst or (one.address == sent.address and abs(sent.at - one.at) <= TRAP_MEMORY)


def _in_haste_before(trap: Observation, seen: Sequence[Observation], sent: Sent) -> bool:
    """Whether a trap was one of many links opened in haste, and all of that before the answer's page."""
    started = sent.rendered_at or sent.at
    together = {one.score for one in seen if one.score is not None and abs(one.at - trap.at) <= SCORES_WITHIN}
    return trap.at < started and len(together) >= CROWD


def _took_time(sent: Sent) -> bool:
    return (
        sent.words
        and not sent.honeypot
        and sent.rendered_at is not None
        and sent.at - sent.rendered_at >= READING_TIME
    )
