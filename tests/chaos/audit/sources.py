"""Reads what servers of a run still hold: the mails of the sink, the records of the broker."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from aiokafka import AIOKafkaConsumer, TopicPartition

from shared.bus.kafka_consumer import to_record
from shared.bus.model import Record
from shared.contracts.topics import TOPICS
from shared.embedded.mailbox import read_journal
from tests.chaos.evidence import Arrival

_READ_SECONDS = 120.0


def read_mails(mailbox: Path) -> list[Arrival]:
    """All mails that the sink took."""
    return [
        Arrival(
            one.message_id,
            one.recipients,
            datetime.fromisoformat(one.at),
            content=(mailbox / one.file).read_bytes(),
        )
        for one in read_journal(mailbox)
    ]


async def read_records(bootstrap: str) -> Sequence[Record]:
    """Everything that stands in our topics and their dead letters.

    Raises:
        TimeoutError: the broker does not hand its records out.
    """
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, auto_offset_reset="earliest")
    await consumer.start()
    found: list[Record] = []
    try:
        # The consumer knows no partitions before it is assigned some.
        places = [
            TopicPartition(name, number)
            for plan in TOPICS
            for name, partitions in ((plan.topic.value, plan.partitions), (plan.topic.dead_letters, 1))
            for number in range(partitions)
        ]
        consumer.assign(places)
        ends = await consumer.end_offsets(places)
        await consumer.seek_to_beginning(*places)
        async with asyncio.timeout(_READ_SECONDS):
            while [place for place in places if await consumer.position(place) < ends[place]]:
                for raws in (await consumer.getmany(timeout_ms=500)).values():
                    found += [to_record(raw) for raw in raws]
    finally:
        await consumer.stop()
    return found
