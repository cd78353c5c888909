"""Sent, bounced, started, answered, held: as of now, by programme, channel and account manager."""

from __future__ import annotations

import re
from datetime import timedelta

import httpx
import pytest
from prometheus_client import REGISTRY

from services.dispatch.domain.rates import Thresholds
from services.dispatch.worker.minding import tally
from shared.contracts.responses import IncentiveChanged
from shared.embedded.smtp import Fault, FaultKind
from shared.runtime.clock import FixedClock
from shared.runtime.ids import derive
from shared.security.access import Role
from tests.support.dispatch import LETTER, NOW, MailRoom, Site, snapshot, survey_id
from tests.support.score_pages import signed_in


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
    assert 0 < rita["rate_low"] < 0.5 < rita["rate_high"] < 1
    assert (olof["requested"], olof["sent"], olof["answered"], olof["held"]) == (2, 1, 0, 1)
    assert (olof["rate"], olof["standing"], olof["few"]) == (0.0, "below", True)
    assert (rita["not_begun"], olof["not_begun"]) == (0, 0)
    assert (rita["completion"], olof["completion"]) == (0.5, None), "of two who began one ended; one is held"
    assert 0 < rita["completion_low"] < 0.5 < rita["completion_high"] < 1
    assert (olof["completion_low"], olof["completion_high"]) == (None, None)
    [mail] = (await api.get("/v1/rates", params={"by": "channel", "until": "2026-03-04T00:00:00Z"})).json()[
        "rates"
    ]
    assert (mail["name"], mail["requested"], mail["answered"]) == ("email", 4, 1)
    wrong = await api.get(
        "/v1/rates", params={"since": "2026-03-03T09:00:00Z", "until": "2026-03-02T09:00:00Z"}
    )
    assert wrong.status_code == 422


async def viewer(site: Site) -> httpx.AsyncClient:
    """The browser of somebody who may look, and no more."""
    client = httpx.AsyncClient(
        transport=httpx.ASGITransport(app=site.app),
        base_url="https://ask.northwind.example",
        headers={"accept": "text/html"},
    )
    client.cookies.set("__Host-afterword", await signed_in(site.access, Role.VIEWER))
    return client


@pytest.mark.requirement("R58")
async def test_the_page_names_who_is_below_the_floor_and_says_small_numbers_are_small(
    room: MailRoom, site: Site
) -> None:
    browser = await viewer(site)
    empty = (await browser.get("/messages/rates")).text
    assert "No survey was asked for in this time" in empty
    assert 'href="/why"' in empty
    await room.ask("anna", snapshot=snapshot("anna", owner="rita@northwind.example"))
    await room.ask("bert", snapshot=snapshot("bert", owner="olof@northwind.example"))
    await room.work()
    few = (await browser.get("/messages/rates?by=owner&from=2026-03-03&to=2026-03-03")).text
    assert few.count("too few sent to judge") == 2
    assert "Below the floor" not in few
    # Twenty are enough to say so: the surveys of nineteen more, as if they had left the same way.
    await room.run(
        """
        with more as (
            insert into surveys select (json_populate_record(s,
                json_build_object('survey_id', gen_random_uuid()))).* from surveys s, generate_series(1, 19)
            where s.survey_id = $1::text::uuid returning *)
        insert into messages select (json_populate_record(m, json_build_object('survey_id', more.survey_id,
            'delivery_id', gen_random_uuid()))).* from messages m, more where m.survey_id = $1::text::uuid
        """,
        survey_id("bert"),
    )
    page = (await browser.get("/messages/rates?by=owner&from=2026-03-03&to=2026-03-03")).text
    assert re.search(r"Below the floor of 20\s?%:</b> olof@northwind.example \(0\s?%\)\.", page)
    assert page.count("too few sent to judge") == 1
    assert page.index("olof@northwind.example</b>") < page.index("rita@northwind.example</b>")
    assert "No survey was asked for" in (await browser.get("/messages/rates?to=2026-03-02")).text
    wrong = await browser.get("/messages/rates?from=soon")
    assert wrong.status_code == 422
    assert "Write a day as 2026-03-31." in wrong.text


@pytest.mark.requirement("R49", "R57")
async def test_the_page_says_how_many_of_those_who_began_came_to_the_end(room: MailRoom, site: Site) -> None:
    for name, answered in (("anna", True), ("bert", True), ("carl", True), ("dora", False), ("emil", None)):
        await room.ask(name)
        if answered is not None:
            await room.run(
                "insert into answers (survey_id, version, answered, started, held) "
                "values ($1::text::uuid, 1, $2, true, false)",
                survey_id(name), answered,
            )  # fmt: skip
    await room.work()
    page = (await (await viewer(site)).get("/messages/rates?from=2026-03-03&to=2026-03-03")).text
    cell = re.search(r'data-label="Answered">(.*?)</td>', page, re.DOTALL)
    assert cell
    finished = " ".join(cell[1].split())
    assert "75% finished" in finished
    assert "30%&nbsp;… 99%" in finished


def given(name: str, version: int, *, redeemed: bool = True) -> IncentiveChanged:
    """What a backend told the collector about somebody's incentive."""
    return IncentiveChanged(
        response_id=str(derive("response", name)), survey_id=survey_id(name), version=version,
        snapshot=snapshot(name), at=NOW, redeemed_at=NOW if redeemed else None,
    )  # fmt: skip


@pytest.mark.requirement("R55", "R58")
async def test_what_was_promised_earned_and_given_stands_beside_the_rates(
    room: MailRoom, site: Site, api: httpx.AsyncClient
) -> None:
    promising = LETTER.model_copy(update={"incentive": {"en": "We plant a tree."}})
    for name, owner in (("anna", "rita"), ("bert", "rita"), ("carl", "rita"), ("dora", "rita")):
        await room.ask(name, letter=promising, snapshot=snapshot(name, owner=f"{owner}@northwind.example"))
    await room.ask("eli", snapshot=snapshot("eli", owner="olof@northwind.example"))
    await room.work()
    for name in ("anna", "bert", "eli"):
        await room.run(
            "insert into answers (survey_id, version, answered) values ($1::text::uuid, 1, true)",
            survey_id(name),
        )
    await room.tell(given("anna", 2), given("anna", 1, redeemed=False))
    await room.tell(given("anna", 1, redeemed=False))
    await room.tell(given("bert", 1), given("bert", 2, redeemed=False))
    await room.tell(given("carl", 1))
    asked = {"by": "owner", "until": "2026-03-04T00:00:00Z"}
    olof, rita = (await api.get("/v1/rates", params=asked)).json()["rates"]
    assert (rita["promised"], rita["earned"], rita["redeemed"]) == (4, 2, 2)
    assert (olof["promised"], olof["earned"], olof["redeemed"]) == (0, 0, 0)
    assert (rita["answered"], rita["started"]) == (2, 2), "what was given is no answer"
    page = (await (await viewer(site)).get("/messages/rates?by=owner&from=2026-03-03&to=2026-03-03")).text
    told = re.findall(r'data-label="(Promised|Earned|Given)">(\d+)<', page)
    assert told == [("Promised", "4"), ("Earned", "2"), ("Given", "2")], "nothing of who promised nothing"


@pytest.mark.requirement("R55")
async def test_where_nothing_is_promised_no_page_speaks_of_it(room: MailRoom, site: Site) -> None:
    await room.ask("anna")
    await room.work()
    page = (await (await viewer(site)).get("/messages/rates?from=2026-03-03&to=2026-03-03")).text
    assert "Response rate" in page
    assert "Incentives" not in page


@pytest.mark.requirement("R58")
async def test_gauges_tell_the_same_of_thirty_days_without_naming_anybody(
    room: MailRoom, clock: FixedClock
) -> None:
    promising = LETTER.model_copy(update={"incentive": {"en": "We plant a tree."}})
    for name in ("anna", "bert"):
        await room.ask(name, letter=promising, snapshot=snapshot(name, owner="rita@northwind.example"))
    await room.work()
    await room.run(
        "insert into answers (survey_id, version, answered, started) values ($1::text::uuid, 1, true, true)",
        survey_id("anna"),
    )
    clock.advance(timedelta(hours=1))
    assert await tally(room.db, Thresholds(0.6, 0.3)) == 0
    labels = {"programme": "relationship-nps", "channel": "email"}
    found = {
        outcome: REGISTRY.get_sample_value("afterword_dispatch_surveys", labels | {"outcome": outcome})
        for outcome in ("requested", "sent", "started", "answered", "held")
    }
    assert found == {"requested": 2, "sent": 2, "started": 1, "answered": 1, "held": 0}
    ratio = REGISTRY.get_sample_value("afterword_dispatch_response_ratio", {"programme": "relationship-nps"})
    assert ratio == 0.5
    promises = {
        outcome: REGISTRY.get_sample_value(
            "afterword_dispatch_incentives", {"programme": "relationship-nps", "outcome": outcome}
        )
        for outcome in ("promised", "earned", "redeemed")
    }
    assert promises == {"promised": 2, "earned": 1, "redeemed": 0}
    assert REGISTRY.get_sample_value("afterword_dispatch_response_floor_ratio") == 0.3
    assert REGISTRY.get_sample_value("afterword_dispatch_response_target_ratio") == 0.6
