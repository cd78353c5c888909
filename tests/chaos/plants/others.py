"""Wrongs of privacy and liveness."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from shared.bus.model import Record
from tests.chaos.journal import CANARY, Braked, Faulted, Operation, Outcome, Probed, Records
from tests.chaos.planting import Plant, Spoil, added, both, journalled, open_, survey, updated
from tests.chaos.plants.transport import logged

_HEADERS = (("ce_id", b"said"), ("ce_source", b"/afterword/scoring"))


def _talkative(records: list[Record]) -> list[Record]:
    first = next(r for r in records if dict(r.headers).get("ce_source") == b"/afterword/trigger" and r.value)
    spoken = first._replace(value=f"{CANARY}hal lives here".encode())
    return [spoken if r is first else r for r in records]


def _probes(*looks: tuple[str, bool, float], value: bool = True) -> Spoil:
    """A fault at 0 s to 10 s, then looks: what, whether yes, and after how many seconds."""

    def change(records: Records) -> Records:
        edge = records.operations[-1].sent_machine + timedelta(hours=1)
        now = records.operations[-1].sent

        def at(deed: Probed | Faulted, begin: float, end: float, outcome: Outcome) -> Operation[Any]:
            begun, ended = edge + timedelta(seconds=begin), edge + timedelta(seconds=end)
            return Operation(-1, deed, outcome, now, begun, now, ended)

        more = [at(Faulted("kill", "scoring"), 0, 10, Outcome.OK)]
        for what, yes, seconds in looks:
            counted = int(seconds) if what == "progress" and value else None
            more.append(
                at(Probed(what, value=counted), seconds, seconds, Outcome.OK if yes else Outcome.FAIL)
            )
        return replace(records, operations=(*records.operations, *more))

    return journalled(change)


def _braked() -> Spoil:
    def change(records: Records) -> Records:
        first = records.operations[0]
        brake = Operation(
            -1, Braked("all"), Outcome.OK, first.sent, first.sent_machine, first.sent, first.sent_machine
        )
        return replace(records, operations=(brake, *records.operations))

    return journalled(change)


PLANTS = [
    Plant(
        "kept-after-erasure",
        sql=(updated("collector.answers", "words = 'sealed'", survey_id=survey("ivy")),),
    ),
    Plant(
        "kept-canary",
        sql=(f"update alerts.tickets set cause = '{CANARY}ivy'",),
    ),
    Plant("leaked-canary", sql=(f"update dispatch.messages set detail = 'to {CANARY}hal'",)),
    Plant("leaked-canary", spoil=logged(_talkative)),
    Plant(
        "broken-audit-chain",
        sql=(open_("access.audit"), 'update access.audit set detail = \'{"role": "admin"}\' where id = 2'),
    ),
    Plant(
        "no-progress", spoil=_probes(("progress", True, 5), ("progress", True, 200), ("drained", True, 300))
    ),
    Plant("no-progress", spoil=_probes(("progress", False, 60), ("progress", True, 70), value=False)),
    Plant("never-drained", spoil=_probes(("progress", True, 20), ("drained", False, 30))),
    Plant(
        "unfinished-fault",
        spoil=journalled(
            lambda records: replace(
                records,
                operations=(
                    *records.operations,
                    replace(
                        records.operations[-1],
                        deed=Faulted("stop", "alerts"),
                        ended=None,
                        ended_machine=None,
                        outcome=Outcome.UNKNOWN,
                    ),
                ),
            )
        ),
    ),
    Plant("ready-without-dependency", spoil=added(Probed("ready", "trigger", needs=False))),
    Plant("unready", spoil=added(Probed("ready", "trigger", needs=True), outcome=Outcome.FAIL)),
    Plant("dead-for-a-dependency", spoil=added(Probed("live", "trigger"), outcome=Outcome.FAIL)),
    Plant("asked-under-brake", spoil=both(_braked())),
]
