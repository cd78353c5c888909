"""Bytewax, one worker: counts per account in memory, no recovery store. Keeps nothing."""

import os
from typing import Any

import bytewax.operators as op
import orjson
from bytewax.connectors.kafka import KafkaSource
from bytewax.dataflow import Dataflow
from bytewax.outputs import DynamicSink, StatelessSinkPartition
from bytewax.testing import run_main

from benchmarks.scoring.rivals.meter import Meter

meter = Meter()
Cells = dict[str, dict[int, int]]


class Metered(StatelessSinkPartition[tuple[str, int]]):  # type: ignore[misc] # not installed here
    """The end of the flow."""

    def write_batch(self, items: list[tuple[str, int]]) -> None:
        """All that came out at once."""
        for _ in items:
            meter.hit()


class Sink(DynamicSink[tuple[str, int]]):  # type: ignore[misc] # not installed here
    """Makes the end of the flow for the only worker."""

    def build(self, _step_id: str, _worker_index: int, _worker_count: int) -> Metered:
        """It."""
        return Metered()


def count(cells: Cells | None, response: dict[str, Any]) -> tuple[Cells, int]:
    """Add one answer to the account's cell."""
    found = cells if cells is not None else {}
    score = response["scores"][0]
    key = f"{response['snapshot']['programme']}|{response['at'][:10]}|{score['type']}"
    cell = found.setdefault(key, {})
    cell[score["value"]] = cell.get(score["value"], 0) + 1
    return found, cell[score["value"]]


flow = Dataflow("counts")
records = op.input("records", flow, KafkaSource([os.environ["BOOTSTRAP"]], [os.environ["TOPIC"]]))
responses = op.map("read", records, lambda record: orjson.loads(record.value))
by_account = op.key_on("by account", responses, lambda one: str(one["snapshot"]["account_id"]))
op.output("end", op.stateful_map("count", by_account, count), Sink())
run_main(flow)
