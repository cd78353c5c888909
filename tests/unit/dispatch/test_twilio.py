"""Twilio's calls are proven as its own library proves them, and read no further than they say."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlencode
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from twilio.request_validator import RequestValidator

from services.dispatch.domain.fate import Fate
from services.dispatch.webhooks.twilio import Wish, is_signed, read_reply, read_report
from shared.contracts.reasons import Reason

TOKEN = "12345"
DELIVERY = "1f0a7d1e-8f3c-5e0e-9d5a-3a1f6d1f0a7d"
TEXT = st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), max_size=20)


def signature(url: str, form: dict[str, str], token: str = TOKEN) -> str:
    return str(RequestValidator(token).compute_signature(url, form))


@given(st.dictionaries(TEXT, TEXT, max_size=6))
def test_what_the_official_library_signs_is_believed(form: dict[str, str]) -> None:
    url = f"https://ask.example/hooks/twilio/status?delivery={DELIVERY}"
    sent = parse_qsl(urlencode(form), keep_blank_values=True)
    assert is_signed(url, sent, signature(url, form), [TOKEN])


@pytest.mark.parametrize("signed", ["https://ask.example:443/x", "https://ask.example/x"])
@pytest.mark.parametrize("called", ["https://ask.example:443/x", "https://ask.example/x"])
def test_the_port_may_be_named_or_not(signed: str, called: str) -> None:
    assert is_signed(called, [("A", "b")], signature(signed, {"A": "b"}), [TOKEN])


def test_either_token_is_good_while_one_replaces_the_other() -> None:
    url = "https://ask.example/x"
    assert is_signed(url, [("A", "b")], signature(url, {"A": "b"}), ["new", TOKEN])


@pytest.mark.parametrize(
    ("url", "form", "sent"),
    [
        ("https://ask.example/y", {"A": "b"}, None),
        ("https://ask.example/x", {"A": "c"}, None),
        ("https://ask.example/x", {"A": "b", "C": ""}, None),
        ("https://ask.example/x", {"A": "b"}, ""),
        ("https://ask.example/x", {"A": "b"}, "ümlaut"),
    ],
)
def test_anything_else_is_not(url: str, form: dict[str, str], sent: str | None) -> None:
    good = signature("https://ask.example/x", {"A": "b"})
    assert not is_signed(url, list(form.items()), good if sent is None else sent, [TOKEN])
    assert not is_signed("https://ask.example/x", [("A", "b")], good, [])


@pytest.mark.parametrize(
    ("status", "code", "fate", "reason"),
    [
        ("sent", "", Fate.TAKEN, Reason.BOUNCED),
        ("delivered", "", Fate.DELIVERED, Reason.BOUNCED),
        ("undelivered", "30003", Fate.LOST, Reason.BOUNCED),
        ("undelivered", "30005", Fate.LOST, Reason.INVALID_ADDRESS),
        ("failed", "21610", Fate.LOST, Reason.OPTED_OUT),
        ("failed", "x", Fate.LOST, Reason.BOUNCED),
    ],
)
def test_a_report_says_what_became_of_a_message(status: str, code: str, fate: Fate, reason: Reason) -> None:
    report = read_report(DELIVERY, {"MessageStatus": status, "ErrorCode": code})
    assert report is not None
    assert (report.delivery_id, report.fate, report.reason) == (UUID(DELIVERY), fate, reason)


@pytest.mark.parametrize(
    ("delivery", "status"), [("x", "sent"), ("", "sent"), (DELIVERY, "receiving"), (DELIVERY, "")]
)
def test_what_says_nothing_about_a_delivery_of_ours_is_left(delivery: str, status: str) -> None:
    assert read_report(delivery, {"MessageStatus": status}) is None


@pytest.mark.parametrize(
    ("form", "wish", "confirmed"),
    [
        ({"Body": "9"}, None, False),
        ({"Body": "stop"}, Wish.STOP, False),
        ({"Body": " Stop. "}, Wish.STOP, False),
        ({"Body": "STOP!!!\n"}, Wish.STOP, False),
        ({"Body": "please stop calling"}, None, False),
        ({"Body": "avsluta", "OptOutType": "STOP"}, Wish.STOP, True),
        ({"Body": "START", "OptOutType": "START"}, Wish.START, True),
        ({"Body": "börja", "OptOutType": "START"}, Wish.START, True),
        ({"Body": "HELP", "OptOutType": "HELP"}, None, False),
        ({"Body": "Start"}, Wish.START, False),
        ({"Body": "unstop?"}, Wish.START, False),
        ({"Body": "yes, "}, Wish.START, False),
        ({"Body": "Yes…"}, Wish.START, False),
        ({"Body": "yes please"}, None, False),
        ({"Body": "restart"}, None, False),
        ({"Body": "."}, None, False),
    ],
)
def test_stop_and_start_are_told_apart(form: dict[str, str], wish: Wish | None, *, confirmed: bool) -> None:
    reply = read_reply({"MessageSid": "SM1", "From": "+46701740605", **form})
    assert reply is not None
    assert (reply.wish, reply.confirmed) == (wish, confirmed)


def test_a_reply_without_id_or_sender_is_none() -> None:
    assert read_reply({"From": "+46701740605"}) is None
    assert read_reply({"MessageSid": "SM1"}) is None
