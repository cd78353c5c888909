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


class Score(BaseModel):
    """One answer."""

    type: str
    value: int


class Snapshot(BaseModel):
    """What the sums are broken down by."""

    programme: str
    family: str
    tier: str


class Response(BaseModel):
    """The part of the event that is needed; the rest is ignored."""

    at: datetime
    snapshot: Snapshot
    scores: list[Score]


broker = KafkaBroker(os.environ["BOOTSTRAP"], logger=None)
app = FastStream(broker, logger=None)
meter = Meter()
cells: Counter[tuple[str, str, str, str, str, int]] = Counter()


@broker.subscriber(  # type: ignore[untyped-decorator] # not installed where types are checked
    os.environ["TOPIC"], group_id=f"faststream-{uuid.uuid4().hex}", auto_offset_reset="earliest"
)
async def count(response: Response) -> None:
    """Add one answer to one cell."""
    snapshot, score = response.snapshot, response.scores[0]
    day = response.at.date().isoformat()
    cells[snapshot.programme, snapshot.family, snapshot.tier, day, score.type, score.value] += 1
    meter.hit()


with contextlib.suppress(ImportError):  # faster with it, where it is there
    import uvloop

    uvloop.install()
asyncio.run(app.run())
