"""Read a topic from its beginning, however often it was read before."""

from __future__ import annotations

from collections.abc import Sequence

from typing_extensions import override

from shared.bus.kafka import KafkaBus
from shared.bus.kafka_client import KafkaSettings
from shared.bus.kafka_consumer import KafkaConsumer
from shared.runtime.ids import random_id


class FreshGroup(KafkaBus):
    """A bus whose groups are new in each run: all members of one run share them."""

    def __init__(self, settings: KafkaSettings) -> None:
        super().__init__(settings)
        self._run = random_id().hex

    @override
    def consumer(self, group: str, topics: Sequence[str], instance: str) -> KafkaConsumer:
        """As ever, but the group is new."""
        return super().consumer(f"{group}.{self._run}", topics, instance)
