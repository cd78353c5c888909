"""The touchpoints that both sides read: a helpdesk's, of a company with a thousand accounts."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from random import Random

import orjson

from benchmarks.company import EPOCH, TOUCHPOINTS
from shared.bus.model import Outgoing, TopicSpec
from shared.bus.port import Bus
from shared.embedded.broker import PARTITIONS

TOPIC = "afterword.touchpoints"
ACCOUNTS, PEOPLE = 1000, 5000
_CHUNK = 2000


def touchpoints(count: int, seed: int = 11) -> Iterator[Outgoing]:
    """Records as a backend writes them, in order of time, two hours in all."""
    draw = Random(seed)
    for number in range(count):
        person = draw.randrange(PEOPLE)
        account = person % ACCOUNTS
        at = (EPOCH - timedelta(hours=2) * (1 - number / count)).isoformat()
        data = {
            "occurred_at": at,
            "contact": {
                "id": f"C-{person}", "email": f"person{person}@customer{account}.example",
                "name": f"Person Number {person}", "locale": ("en", "es", "sv")[person % 3],
                "zone": "Europe/Stockholm", "persona": "user", "job_function": "operations",
            },
            "account": {
                "id": f"A-{account}", "name": f"Customer number {account}", "tier": "key",
                "industry": "logistics", "size": "50-249", "owner": f"owner{account % 20}@nordlicht.example",
            },
            "product": "routes",
            "subject": {"kind": "ticket", "id": f"T-{number}"},
            "context": {"agent": f"agent {draw.randrange(40)}", "queue": "second level"},
        }  # fmt: skip
        named = {
            "ce_specversion": "1.0", "ce_id": f"{seed}-{number}", "ce_source": "/helpdesk",
            "ce_type": f"touchpoint.{draw.randrange(TOUCHPOINTS)}", "ce_time": at,
            "content-type": "application/json",
        }  # fmt: skip
        headers = tuple((name, text.encode()) for name, text in named.items())
        yield Outgoing(TOPIC, f"A-{account}".encode(), orjson.dumps(data), headers)


async def fill(bus: Bus, count: int) -> None:
    """Put the touchpoints on their topic."""
    await bus.ensure_topics([TopicSpec(TOPIC, PARTITIONS, compacted=False, retention=timedelta(days=30))])
    records = list(touchpoints(count))
    for first in range(0, count, _CHUNK):
        await bus.produce(records[first : first + _CHUNK])
