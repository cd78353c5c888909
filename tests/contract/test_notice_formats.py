"""What channels send, held against the partners' own libraries and documented limits."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs

import httpx2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from microsoft_teams.cards import (
    AdaptiveCard,
    CardElement,
    Container,
    Fact,
    FactSet,
    OpenUrlAction,
    TextBlock,
)
from pagerduty import EventsApiV2Client
from slack_sdk.models.blocks import Block
from standardwebhooks import Webhook

from services.alerts.channels import email, pagerduty, slack, sms, teams, webhook
from services.alerts.channels.http import Poster, client
from services.alerts.domain.alarm import Text
from services.alerts.domain.model import Occasion
from shared.partners.wire import as_json
from shared.runtime.clock import FakeMachine, SystemMachine
from shared.security.signatures import WebhookSecret, sign_standard
from tests.support.made_notices import DELIVERY, SECRET, TEXT
from tests.support.partner import Partner, listening

LONG = replace(
    TEXT,
    subject="s" * 400,
    headline="h" * 4000,
    quote="&*\n" * 4000,
    facts=(("Who", "w" * 3000),) * 14,
    action="a" * 4000,
)
EVIL = "<img src=x onerror=alert(1)> <!channel> [x](javascript:1) *bold* _x_ `y` <https://evil.test|ok>"
BARE = Text("x", "y", "", (), "z", "https://afterword.test/tickets/1", "Open the case")
TEXTS = [
    pytest.param(TEXT, id="as usual"),
    pytest.param(LONG, id="far too long"),
    pytest.param(BARE, id="hardly anything"),
    pytest.param(
        replace(TEXT, quote=EVIL, subject=EVIL, headline=EVIL, facts=(("Who", EVIL),)), id="hostile"
    ),
    pytest.param(replace(TEXT, subject="\n", quote="\u202e\u2028\x00 😀" * 900), id="odd characters"),
]
ANY_TEXT = st.builds(
    Text,
    st.text(),
    st.text(),
    st.text(max_size=5000),
    st.lists(st.tuples(st.text(min_size=1), st.text()), max_size=12).map(tuple),
    st.text(),
    st.just("https://afterword.test/tickets/1"),
    st.just("Open the case"),
)


def fits_slack(text: Text) -> None:
    """Slack's own library builds every block of it and finds nothing too long."""
    body = slack.body(text)
    blocks = Block.parse_all(body["blocks"])
    assert [block.to_dict()["type"] for block in blocks] == [block["type"] for block in body["blocks"]]
    assert len(blocks) <= 50
    for field in (f for block in body["blocks"] for f in block.get("fields", ())):
        assert len(field["text"]) <= 2000
    assert text.link in body["text"]


_ELEMENTS: Mapping[str, type[Any]] = {"TextBlock": TextBlock, "FactSet": FactSet, "Container": Container}


def fits_teams(text: Text) -> None:
    """Microsoft's own models know every element and every property, and the whole is small enough."""
    message = teams.body(text)
    content = message["attachments"][0]["content"]
    assert set(AdaptiveCard.model_validate(content).model_extra or ()) <= {"$schema"}
    known_elements(content["body"])
    for action in content["actions"]:
        assert not OpenUrlAction.model_validate(action).model_extra
        assert action["url"] == text.link
    assert len(as_json(message)) <= 28_000


def known_elements(elements: list[dict[str, Any]]) -> None:
    for element in elements:
        found: CardElement = _ELEMENTS[element["type"]].model_validate(element)
        assert not found.model_extra
        known_elements(element.get("items", []))
        for fact in element.get("facts", []):
            assert not Fact.model_validate(fact).model_extra


@pytest.mark.parametrize("text", TEXTS)
def test_slack_takes_every_notice(text: Text) -> None:
    fits_slack(text)


@settings(max_examples=40)
@given(ANY_TEXT)
def test_slack_takes_whatever_is_written(text: Text) -> None:
    fits_slack(text)


@pytest.mark.parametrize("text", TEXTS)
def test_teams_takes_every_notice(text: Text) -> None:
    fits_teams(text)


@settings(max_examples=40)
@given(ANY_TEXT)
def test_teams_takes_whatever_is_written(text: Text) -> None:
    fits_teams(text)


def test_what_a_customer_wrote_is_text_everywhere() -> None:
    text = replace(TEXT, quote=EVIL, facts=(("Who", EVIL), ("E-mail", '"><b>@x')))
    rich = email.rich(text)
    assert "<img" not in rich
    assert "<script" not in rich
    assert "<b>" not in rich
    posted = json.dumps(slack.body(text), ensure_ascii=False)
    assert "<!channel>" not in posted
    assert "*bold*" not in posted
    assert "<https://evil.test" not in posted
    shown = teams.card(text)["body"][2]["items"][0]["text"]
    assert "[x]" not in shown
    assert "\\[x\\](javascript:1)" in shown
    assert "\\*bold\\*" in shown


def test_pagerduty_gets_what_its_own_library_would_send() -> None:
    ours = pagerduty.body(DELIVERY, "key")
    payload, key = ours["payload"], ours["dedup_key"]
    asked: list[httpx2.Request] = []

    def take(request: httpx2.Request) -> httpx2.Response:
        asked.append(request)
        return httpx2.Response(202, json={"status": "success", "dedup_key": key})

    with EventsApiV2Client("key", transport=httpx2.MockTransport(take)) as client:
        client.trigger(
            payload["summary"],
            payload["source"],
            dedup_key=key,
            severity=payload["severity"],
            payload={name: payload[name] for name in ("timestamp", "component", "class")},
            custom_details=payload["custom_details"],
            links=ours["links"],
        )
        client.acknowledge(key)
        client.resolve(key)
    trigger, acknowledge, resolve = (json.loads(request.content) for request in asked)
    assert {str(request.url) for request in asked} == {f"https://events.pagerduty.com{pagerduty.ENQUEUE}"}
    assert trigger == {name: value for name, value in ours.items() if not name.startswith("client")}
    assert acknowledge == pagerduty.body(replace(DELIVERY, occasion=Occasion.TAKEN), "key")
    assert resolve == pagerduty.body(replace(DELIVERY, occasion=Occasion.ENDED), "key")


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("occasion", list(Occasion))
def test_pagerduty_takes_every_notice(text: Text, occasion: Occasion) -> None:
    event = pagerduty.body(replace(DELIVERY, text=text, occasion=occasion), "key")
    assert len(event["dedup_key"]) <= 255
    assert event["event_action"] in {"trigger", "acknowledge", "resolve"}
    if event["event_action"] == "trigger":
        assert len(event["payload"]["summary"]) <= 1024
        assert event["payload"]["severity"] in {"critical", "error", "warning", "info"}
        assert len(as_json(event)) <= 512 * 1024


def test_all_notices_of_a_case_are_one_incident() -> None:
    keys = {pagerduty.body(replace(DELIVERY, occasion=occasion), "key")["dedup_key"] for occasion in Occasion}
    assert len(keys) == 1


@pytest.mark.parametrize(
    ("occasion", "urgent", "severity"),
    [
        (Occasion.OPENED, "normal", "warning"),
        (Occasion.OPENED, "high", "error"),
        (Occasion.OPENED, "urgent", "critical"),
        (Occasion.LATE, "normal", "critical"),
        (Occasion.LEADERSHIP, "high", "critical"),
    ],
)
def test_how_grave_it_is(occasion: Occasion, urgent: str, severity: str) -> None:
    event = pagerduty.body(replace(DELIVERY, occasion=occasion, urgent=urgent), "key")
    assert event["payload"]["severity"] == severity


async def test_the_receiver_of_a_webhook_verifies_it_with_the_standard_library() -> None:
    content = as_json(webhook.body(DELIVERY))
    at = SystemMachine().wall()
    headers = sign_standard(str(DELIVERY.id), at, content, WebhookSecret.standard(SECRET))
    read = Webhook(SECRET).verify(content, headers)
    assert read["type"] == "ticket.notice.opened"
    assert read["data"]["ticket_id"] == str(DELIVERY.ticket_id)


async def test_a_text_message_is_what_twilio_documents() -> None:
    partner = Partner(says='{"sid": "SM1"}')
    async with listening(partner), client() as line:
        for sender, field in (("+15005550006", "From"), ("MG123", "MessagingServiceSid")):
            channel = sms.SmsChannel(
                Poster(partner.url + sms.path("AC1"), line, FakeMachine()),
                sms.Account("AC1", sender, "token"),
            )
            await channel.send(replace(DELIVERY, to="+46 70-123 45 67"))
            taken = partner.taken[-1]
            fields = parse_qs(taken.body.decode(), strict_parsing=True)
            assert taken.path == "/2010-04-01/Accounts/AC1/Messages.json"
            assert taken.headers["authorization"] == "Basic QUMxOnRva2Vu"
            assert fields == {"To": ["+46701234567"], field: [sender], "Body": [sms.words(TEXT)]}


@pytest.mark.parametrize("text", TEXTS)
def test_a_text_message_is_short_and_ends_with_the_whole_link(text: Text) -> None:
    said = sms.words(text)
    assert said.endswith(f" {text.link}")
    assert len(said) <= sms.CHARS
