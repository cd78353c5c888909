"""What waits for somebody inside a customer's product, over HTTP from another origin."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta

import httpx
import pytest

from demo.widget import token
from services.collector.domain.amend import SurveyState
from shared.contracts.deliveries import DeliveryFailed, DeliveryHandedOver
from shared.contracts.directory import ContactChanged, ContactErased
from shared.contracts.forms import Letter
from shared.contracts.model import Channel
from shared.contracts.reasons import Reason
from shared.contracts.responses import ResponseSubmitted, Verdict
from shared.contracts.surveys import SurveyCancelled
from shared.db.database import Database
from shared.runtime.clock import FakeMachine, FixedClock
from shared.runtime.ids import derive
from shared.security.sealing import Sealer
from shared.security.tokens import Tokens
from tests.support.collector import ORGANISATION, Collector, contact_id, snapshot, survey_id

SECRET = "a secret of the widget that is long enough"  # noqa: S105, RUF100 - of the test
ORIGIN = "https://app.example"


@pytest.fixture
async def shop(
    database: Callable[[str], Awaitable[Database]],
    sealer: Sealer,
    tokens: Tokens,
    clock: FixedClock,
    machine: FakeMachine,
) -> Collector:
    """A collector with a widget."""
    settings = {"widget_secrets": SECRET, "widget_origins": ORIGIN}
    made = await Collector.start(await database("collector"), sealer, tokens, clock, machine, settings)
    await made.feed(ORGANISATION)
    return made


@pytest.fixture
async def product(shop: Collector) -> AsyncIterator[httpx.AsyncClient]:
    """A page of the product where contact C-1 is signed in."""
    async with shop.client() as client:
        sign = token("C-1", SECRET, shop.machine.wall().timestamp())
        client.headers.update({"authorization": f"Bearer {sign}", "origin": ORIGIN})
        yield client


async def in_app(collector: Collector, number: int = 1, step: int = 0) -> None:
    """A survey that dispatch gave to the in-app channel."""
    await collector.feed(
        DeliveryHandedOver(
            delivery_id=str(derive("delivery", number)), version=2, survey_id=str(survey_id(number)),
            channel=Channel.IN_APP, snapshot=snapshot(number), at=collector.clock.now(), step=step,
        )
    )  # fmt: skip


def known(number: int = 1, **changes: str) -> ContactChanged:
    """What the directory says of contact C-1."""
    return ContactChanged(
        contact_id=str(contact_id(number)), version=1, external_id="C-1", **changes  # type: ignore[arg-type] # texts alone
    )  # fmt: skip


@pytest.mark.requirement("R52")
async def test_a_survey_waits_until_it_is_answered_where_somebody_is_signed_in(
    shop: Collector, product: httpx.AsyncClient
) -> None:
    await shop.asked(1)
    await shop.feed(known())
    assert (await product.get("/v1/widget/pending")).status_code == 204
    await in_app(shop)
    waits = await product.get("/v1/widget/pending")
    assert waits.headers["access-control-allow-origin"] == ORIGIN
    sheet = waits.json()
    assert (sheet["survey"], sheet["language"]) == (str(survey_id(1)), "en")
    assert sheet["questions"][0]["text"] == "How easy was it to get started with Routes?"
    assert sheet["questions"][1]["when"] == {"ces": {"lte": 5}}
    swedish = (await product.get("/v1/widget/pending?lang=sv")).json()
    assert swedish["words"]["send"] == "Skicka svar"
    wrong = await product.post("/v1/widget/answers", json={"survey": sheet["survey"], "answers": {}})
    assert (wrong.status_code, wrong.json()["errors"]) == (422, {"ces": "Please answer this question."})
    body = {"survey": sheet["survey"], "answers": {"ces": 2, "hard": "The import"}}
    assert (await product.post("/v1/widget/answers", json=body)).json() == {"mood": "unhappy"}
    assert (await product.get("/v1/widget/pending")).status_code == 204
    shop.wait(60)
    (event,) = await shop.settle()
    assert isinstance(event, ResponseSubmitted)
    assert (event.primary_score.value, event.verdict) == (2, Verdict.HUMAN)


@pytest.mark.requirement("R55")
async def test_what_is_promised_is_told_in_the_reader_s_language(
    shop: Collector, product: httpx.AsyncClient
) -> None:
    incentive = {"en": "We plant a tree, {first_name}.", "sv": "Vi planterar ett träd."}
    await shop.asked(1, letter=Letter(subject={"en": "A question"}, incentive=incentive))
    await shop.feed(known())
    await in_app(shop)
    told = [(await product.get(f"/v1/widget/pending?lang={one}")).json()["incentive"] for one in ("en", "sv")]
    assert told == ["We plant a tree, Mia.", "Vi planterar ett träd."]
    await shop.asked(2)
    await shop.feed(known(2))
    await in_app(shop, 2)
    assert (await product.get("/v1/widget/pending")).json()["incentive"] == "", "nothing was promised"


async def test_only_what_was_given_to_the_channel_and_is_open_waits(
    shop: Collector, product: httpx.AsyncClient
) -> None:
    await shop.feed(known())
    await shop.asked(1)
    await shop.handed_over(1)
    assert (await product.get("/v1/widget/pending")).status_code == 204, "it went by mail"
    await in_app(shop, step=1)
    assert (await product.get("/v1/widget/pending")).status_code == 200
    shop.wait(timedelta(days=31).total_seconds())
    assert (await product.get("/v1/widget/pending")).status_code == 204, "it is over"
    await shop.asked(2)
    await shop.feed(known(2))
    failed = DeliveryFailed(
        delivery_id=str(derive("delivery", 2)), version=1, survey_id=str(survey_id(2)), channel=Channel.EMAIL,
        snapshot=snapshot(2), at=shop.clock.now(), reason=Reason.INVALID_ADDRESS,
    )  # fmt: skip
    await shop.feed(failed)
    await in_app(shop, 2)
    assert (await product.get("/v1/widget/pending")).json()["survey"] == str(survey_id(2)), "fallback"
    await shop.feed(
        SurveyCancelled(
            survey_id=str(survey_id(2)), version=2, snapshot=snapshot(2), reason=Reason.SUPERSEDED,
            cancelled_at=shop.clock.now(),
        )
    )  # fmt: skip
    assert (await product.get("/v1/widget/pending")).status_code == 204


async def test_nobody_sees_or_answers_what_asks_somebody_else(
    shop: Collector, product: httpx.AsyncClient
) -> None:
    await shop.feed(known())
    await shop.asked(2)
    await in_app(shop, 2)
    assert (await product.get("/v1/widget/pending")).status_code == 204
    body = {"survey": str(survey_id(2)), "answers": {"ces": 1}}
    assert (await product.post("/v1/widget/answers", json=body)).status_code == 404
    await shop.feed(known(merged_into=str(contact_id(2))))
    assert (await product.get("/v1/widget/pending")).json()["survey"] == str(survey_id(2))
    await shop.feed(
        ContactErased(contact_id=str(contact_id(2)), version=9, erased_at=shop.clock.now()), known(2)
    )
    assert (await product.get("/v1/widget/pending")).status_code == 204
    async with shop.db.read() as conn:
        assert await conn.fetchval("select count(*) from widget_contacts") == 0
        states = await conn.fetch("select state from surveys")
    assert [row[0] for row in states] == [SurveyState.ERASED]


async def test_pages_of_other_origins_and_bad_tokens_get_nothing(
    shop: Collector, product: httpx.AsyncClient
) -> None:
    preflight = await product.options("/v1/widget/pending", headers={"origin": ORIGIN})
    foreign = await product.options("/v1/widget/pending", headers={"origin": "https://evil.example"})
    assert preflight.headers["access-control-allow-headers"] == "authorization, content-type"
    assert "access-control-allow-origin" not in foreign.headers
    old = token("C-1", SECRET, shop.machine.wall().timestamp() - 8000)
    refused = await product.get("/v1/widget/pending", headers={"authorization": f"Bearer {old}"})
    assert (refused.status_code, refused.json()["detail"]) == (
        401,
        "The token is not taken: it has expired.",
    )
    assert (await product.post("/v1/widget/answers", content=b"{")).status_code == 422


async def test_without_a_secret_there_is_no_widget(collector: Collector) -> None:
    async with collector.client() as client:
        refused = await client.get("/v1/widget/pending")
        snippet = (await client.get("/v1/widget/snippet")).json()
        script = await client.get(snippet["src"].partition("example")[2] or snippet["src"])
    assert refused.status_code == 404
    assert snippet["integrity"].startswith("sha384-")
    assert script.headers["access-control-allow-origin"] == "*"
