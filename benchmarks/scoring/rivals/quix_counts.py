"""Quix Streams, stateful with changelog: counts per account in RocksDB, a checkpoint every five seconds."""

import os
import tempfile
import uuid
import warnings
from typing import Any

from benchmarks.scoring.rivals.meter import Meter

warnings.filterwarnings("ignore")

from quixstreams import Application  # noqa: E402 - after the filter
from quixstreams.models.topics.manager import TopicManager  # noqa: E402 - after the filter
from quixstreams.state import State  # noqa: E402 - after the filter

partitions = int(os.environ["PARTITIONS"])
# The embedded broker tells no retention.ms, which Quix wants to copy to its changelog topic.
TopicManager.derive_topic_config = lambda self, _topics: self.topic_config(
    num_partitions=partitions, replication_factor=1
)

app = Application(
    broker_address=os.environ["BOOTSTRAP"],
    consumer_group=f"quix-{uuid.uuid4().hex}",
    auto_offset_reset="earliest",
    state_dir=tempfile.mkdtemp(),
    use_changelog_topics=True,
    loglevel="ERROR",
    auto_create_topics=True,
    request_timeout=20,
)
topic = app.topic(os.environ["TOPIC"], value_deserializer="json", key_deserializer="bytes")
frame = app.dataframe(topic)
meter = Meter()


def count(response: dict[str, Any], state: State) -> None:
    """Add one answer to the account's cell."""
    score = response["scores"][0]
    key = f"{response['snapshot']['programme']}|{response['at'][:10]}|{score['type']}"
    cell = state.get(key) or {}
    cell[str(score["value"])] = cell.get(str(score["value"]), 0) + 1
    state.set(key, cell)
    meter.hit()


frame = frame.update(count, stateful=True)
app.run()
