"""A trace judged by the rules alone: what the collector would store, without a collector."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from services.collector.domain.agents import Agent, agent_of, agent_on_page
from services.collector.domain.settling import Judged, current
from services.collector.domain.verdict import Observation, Sent, Sighting, Surroundings, judge
from services.collector.pages.routes import NONCE_AGE
from tests.corpus.traces import Actor, Link, Sending, Step, Trace

START = datetime(2026, 3, 3, 9, 0, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Ending:
    """How a trace ended: `nothing`, `held` or `counted`, and by which score and evidence."""

    ends: str
    score: int | None = None
    evidence: tuple[str, ...] = ()


@dataclass(slots=True)
class _Page:
    rendered_at: datetime
    score: int | None


@dataclass(slots=True)
class _Store:
    """What one survey has in the collector's tables."""

    seen: list[Observation] = field(default_factory=list)
    answers: list[tuple[Sent, int]] = field(default_factory=list)
    pages: dict[tuple[str, Link], _Page] = field(default_factory=dict)


def end(trace: Trace) -> Ending:
    """Judge everything at the end, as the last settling does."""
    store = _Store()
    for step in trace.steps:
        _take(store, step, trace.cast[step.by])
    if not store.answers:
        return Ending("nothing")
    around = Surroundings(store.seen, (START,), 11)
    judged = [Judged(n, judge(sent, around)) for n, (sent, _) in enumerate(store.answers, start=1)]
    standing = current(judged)
    evidence = tuple(reason.value for reason in standing.judgement.evidence)
    score = store.answers[standing.version - 1][1]
    return Ending("counted" if standing.human else "held", score, evidence)


def _take(store: _Store, step: Step, actor: Actor) -> None:
    at = START + timedelta(seconds=step.at)
    if step.link in ("stop", "image"):
        return
    match step.do:
        case "head":
            _see(store, at, Sighting.TRAP if step.link == "trap" else Sighting.HEAD, actor, step.link)
        case "get" | "open":
            _see(store, at, Sighting.TRAP if step.link == "trap" else Sighting.OPENED, actor, step.link)
            if step.link != "trap":
                _show(store, at, step, actor, step.link if isinstance(step.link, int) else None)
        case "send":
            _send(store, at, step, actor)
        case unknown:
            raise ValueError(unknown)


def _see(store: _Store, at: datetime, kind: Sighting, actor: Actor, link: Link | None = None) -> None:
    score = link if isinstance(link, int) else None
    page = at if kind is Sighting.STYLED else None
    store.seen.append(Observation(at, kind, actor.place, agent_of(actor.agent), score, page))


def _show(store: _Store, at: datetime, step: Step, actor: Actor, score: int | None) -> None:
    store.pages[step.by, step.link] = _Page(at, score)
    if actor.styles and step.do != "get":
        _see(store, at, Sighting.STYLED, actor)


def _send(store: _Store, at: datetime, step: Step, actor: Actor) -> None:
    page = store.pages.get((step.by, step.link))
    sending = step.sending
    if page is None:
        return
    score = page.score if sending.score is None else sending.score
    if sending.nonce != "own" or at - page.rendered_at > NONCE_AGE:
        _see(store, at, Sighting.UNSIGNED if sending.nonce == "none" else Sighting.STALE, actor)
        _show(store, at, step, actor, score)
    elif score is None:
        _see(store, at, Sighting.OPENED, actor)
        _show(store, at, step, actor, None)
    else:
        store.answers.append((_sent(at, page, actor, sending), score))
        if actor.styles:  # the page of thanks, after the redirect
            _see(store, at, Sighting.OPENED, actor)


def _sent(at: datetime, page: _Page, actor: Actor, sending: Sending) -> Sent:
    agent: Agent = agent_on_page(agent_of(actor.agent), actor.hand)
    words = len(sending.words.split()) > 1
    return Sent(at, actor.place, page.rendered_at, agent, sending.honeypot, words)
