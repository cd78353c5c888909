"""FastStream, one handler call an event: reads the fields it needs and counts in memory. Keeps nothing."""

import asyncio
import contextlib
import os
import uuid
from collections import Counter
from datetime import datetime

from faststream import FastStream
from faststream.kafka import KafkaBroker
from pydantic import BaseModel

from benchmarks.scoring.rivals.meter import Meter


class Contact(BaseModel):
    """Whom it happened to."""

    id: str
    email: str
    locale: str


class Account(BaseModel):
    """At which customer."""

    id: str
    tier: str


class Touchpoint(BaseModel):
    """The part of the event that is needed; the rest is ignored."""

    occurred_at: datetime
    contact: Contact
    account: Account
    product: str


broker = KafkaBroker(os.environ["BOOTSTRAP"], logger=None)
app = FastStream(broker, logger=None)
meter = Meter()
seen: Counter[tuple[str, str, str]] = Counter()


@broker.subscriber(  # type: ignore[untyped-decorator] # not installed where types are checked
    os.environ["TOPIC"], group_id=f"faststream-{uuid.uuid4().hex}", auto_offset_reset="earliest"
)
async def count(touchpoint: Touchpoint) -> None:
    """Count one touchpoint of an account."""
    seen[touchpoint.account.id, touchpoint.product, touchpoint.occurred_at.date().isoformat()] += 1
    meter.hit()


with contextlib.suppress(ImportError):  # faster with it, where it is there
    import uvloop

    uvloop.install()
asyncio.run(app.run())
