"""The answers that all sides read: `response.submitted` events of a company with 2,000 accounts."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any
from uuid import UUID

import orjson

from shared.bus.model import Headers, Outgoing, TopicSpec
from shared.bus.port import Bus
from shared.contracts.responses import ResponseSubmitted
from shared.embedded.broker import PARTITIONS

TOPIC = "afterword.responses"
_START = datetime(2026, 3, 2, tzinfo=UTC)
_QUESTIONS = (("nps", 0, 10), ("csat", 1, 5), ("csat", 1, 5), ("ces", 1, 7))
_INDUSTRIES = ("saas", "manufacturing", "marketing", "fintech", "logistics", "services")
_SIZES = ("1-9", "10-49", "50-249", "250+")
_ROLES = ("operations", "finance", "engineering", "procurement", "support", "management")
_REGIONS = ("emea", "amer", "apac", "nordics", "iberia")
_CHUNK = 2000


def answers(count: int, seed: int = 7) -> Iterator[Outgoing]:
    """Records as the collector's outbox gives them: 25 programmes, in order of time, two days in all."""
    draw = Random(seed)
    for number in range(count):
        at = (_START + timedelta(days=2) * (number / count)).isoformat()
        data = _answer(draw, number, at)
        key = data["snapshot"]["account_id"]
        yield Outgoing(TOPIC, key.encode(), orjson.dumps(data), _headers(draw, at, key))


def _answer(draw: Random, number: int, at: str) -> dict[str, Any]:
    programme, account = draw.randrange(25), draw.randrange(2000)
    question, low, high = _QUESTIONS[programme % 4]
    value = draw.randint(low, high)
    return {
        "response_id": _uuid(draw), "survey_id": _uuid(draw), "version": 1,
        "snapshot": _snapshot(draw, programme, account), "at": at, "received_at": at, "first_at": at,
        "asked_at": at, "primary": "q1", "low": 6,
        "mood": "unhappy" if value <= (low + high) // 2 else "happy",
        "scores": [{"question": "q1", "type": question, "value": value, "item": ""}],
        "choices": {"area": ["interface", "speed"]}, "words": "c" * 160, "person": "c" * 140,
        "verdict": "human", "evidence": ["settled", f"form-{number}"],
        "close_the_loop": {
            "ticket": True, "contact_within_hours": 24, "resolve_within_hours": 336, "playbook": "call-back",
        },
    }  # fmt: skip


def _snapshot(draw: Random, programme: int, account: int) -> dict[str, Any]:
    return {
        "programme": f"programme-{programme}", "version": "3f1c9a7e5b2d",
        "family": "relationship" if programme % 5 == 0 else "transactional",
        "touchpoint": f"touchpoint.{programme % 12}", "contact_id": _uuid(draw),
        "account_id": str(UUID(int=account + 1)), "account_name": f"Customer number {account}",
        "tier": ("small", "small", "key", "premium")[account % 4], "industry": _INDUSTRIES[account % 6],
        "size": _SIZES[account % 4], "owner": f"owner{account % 20}@example.com",
        "persona": draw.choice(("user", "user", "decision_maker")), "job_function": draw.choice(_ROLES),
        "product": ("suite", "connect", "insights")[account % 3], "service_type": "",
        "region": _REGIONS[account % 5], "locale": ("en", "es", "sv")[account % 3],
        "zone": "Europe/Madrid",
        "channel": "email", "stage": ("onboarding", "use", "renewal")[programme % 3],
        "subject_kind": "ticket",
        "subject_id": f"T-{draw.randrange(10**6)}", "context": {"agent": f"agent-{draw.randrange(40)}"},
    }  # fmt: skip


def _headers(draw: Random, at: str, key: str) -> Headers:
    named = {
        "ce_specversion": "1.0", "ce_id": _uuid(draw), "ce_source": "/afterword/collector",
        "ce_type": ResponseSubmitted.TYPE, "ce_time": at, "ce_subject": key, "ce_partitionkey": key,
        "content-type": "application/json",
    }  # fmt: skip
    return tuple((name, text.encode()) for name, text in named.items())


def _uuid(draw: Random) -> str:
    return str(UUID(int=draw.getrandbits(128), version=5))


async def fill(bus: Bus, count: int) -> None:
    """Put the answers on their topic."""
    await bus.ensure_topics([TopicSpec(TOPIC, PARTITIONS, compacted=False, retention=timedelta(days=30))])
    chunk: list[Outgoing] = []
    for record in answers(count):
        chunk.append(record)
        if len(chunk) == _CHUNK:
            await bus.produce(chunk)
            chunk = []
    if chunk:
        await bus.produce(chunk)
