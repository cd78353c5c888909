"""Sent, bounced, started, answered, held: as of now, by programme, channel and account manager."""

from __future__ import annotations

import httpx
import pytest

from shared.embedded.smtp import Fault, FaultKind
from tests.support.dispatch import MailRoom, snapshot, survey_id


@pytest.mark.requirement("R57", "R58")
async def test_rates_are_what_became_of_the_surveys(room: MailRoom, api: httpx.AsyncClient) -> None:
    room.faults.rules.append(Fault("dora@*", FaultKind.REFUSE_RECIPIENT, "550 5.1.1 nobody"))
    for name, owner in (("anna", "rita"), ("bert", "rita"), ("carl", "olof"), ("dora", "olof")):
        await room.ask(name, snapshot=snapshot(name, owner=f"{owner}@northwind.example"))
    await room.ask("me", snapshot=snapshot("me", test=True))
    await room.work()
    for name, what in (("anna", "answered"), ("bert", "started"), ("carl", "held")):
        answered, held = what == "answered", what == "held"
        await room.run(
            "insert into answers (survey_id, version, answered, started, held) "
            "values ($1::text::uuid, 1, $2, true, $3)",
            survey_id(name),
            answered,
            held,
        )
    found = (await api.get("/v1/rates", params={"by": "owner", "until": "2026-03-04T00:00:00Z"})).json()
    assert (found["target"], found["floor"]) == (0.5, 0.2)
    olof, rita = found["rates"]
    assert (rita["requested"], rita["sent"], rita["started"], rita["answered"], rita["held"]) == (
        2,
        2,
        2,
        1,
        0,
    )
    assert (rita["rate"], rita["standing"]) == (0.5, "target")
    assert (olof["requested"], olof["sent"], olof["answered"], olof["held"]) == (2, 1, 0, 1)
    assert (olof["rate"], olof["standing"]) == (0.0, "below")
    [mail] = (await api.get("/v1/rates", params={"by": "channel", "until": "2026-03-04T00:00:00Z"})).json()[
        "rates"
    ]
    assert (mail["name"], mail["requested"], mail["answered"]) == ("email", 4, 1)
    wrong = await api.get(
        "/v1/rates", params={"since": "2026-03-03T09:00:00Z", "until": "2026-03-02T09:00:00Z"}
    )
    assert wrong.status_code == 422
