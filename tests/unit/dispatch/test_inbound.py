"""Mails that come back: bounces, complaints, machines, people who say stop, people who talk."""

from __future__ import annotations

from email.message import EmailMessage
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.dispatch.domain.inbound import Said, read_mail
from services.dispatch.domain.return_path import Way, local_part, read_local
from services.dispatch.domain.stop_words import says_stop
from shared.contracts.deliveries import BounceKind
from shared.security.keyring import KeyRing
from shared.security.tokens import Tokens


def status(action: str, code: str, diagnostic: str = "") -> bytes:
    return (
        "From: MAILER-DAEMON@mx.example\r\nSubject: Undelivered Mail\r\nMIME-Version: 1.0\r\n"
        'Content-Type: multipart/report; report-type=delivery-status; boundary="B"\r\n\r\n'
        "--B\r\nContent-Type: text/plain\r\n\r\nSorry.\r\n"
        "--B\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.example\r\n\r\n"
        f"Final-Recipient: rfc822; anna@customer.example\r\nAction: {action}\r\nStatus: {code}\r\n"
        f"Diagnostic-Code: smtp; {diagnostic}\r\n\r\n"
        "--B\r\nContent-Type: text/rfc822-headers\r\n\r\nSubject: How is Cloud?\r\n\r\n--B--\r\n"
    ).encode()


def feedback(kind: str) -> bytes:
    return (
        "From: fbl@mx.example\r\nSubject: complaint\r\nMIME-Version: 1.0\r\n"
        'Content-Type: multipart/report; report-type=feedback-report; boundary="B"\r\n\r\n'
        "--B\r\nContent-Type: text/plain\r\n\r\nA complaint.\r\n"
        "--B\r\nContent-Type: message/feedback-report\r\n\r\n"
        f"Feedback-Type: {kind}\r\nVersion: 1\r\n\r\n--B--\r\n"
    ).encode()


def mail(text: str, subject: str = "Re: How is Cloud?", **headers: str) -> bytes:
    made = EmailMessage()
    made["From"], made["To"], made["Subject"] = "anna@customer.example", "r+x@ask.example", subject
    for name, value in headers.items():
        made[name.replace("_", "-")] = value
    made.set_content(text)
    return made.as_bytes()


@pytest.mark.requirement("R57")
@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("5.1.1", BounceKind.HARD),
        ("5.1.2", BounceKind.HARD),
        ("5.1.10", BounceKind.HARD),
        ("5.2.1", BounceKind.HARD),
        ("5.2.2", BounceKind.SOFT),
        ("4.4.7", BounceKind.SOFT),
        ("5.0.0", BounceKind.SOFT),
        ("5.7.1", BounceKind.POLICY),
        ("5.7.26", BounceKind.POLICY),
        ("4.7.0", BounceKind.POLICY),
    ],
)
def test_a_status_report_says_how_hard_a_mail_came_back(code: str, kind: BounceKind) -> None:
    found = read_mail(status("failed", code))
    assert (found.said, found.kind, found.status) == (Said.BOUNCED, kind, code)


@pytest.mark.parametrize(
    ("action", "said"),
    [
        ("delayed", Said.DELAYED),
        ("delivered", Said.DELIVERED),
        ("relayed", Said.DELIVERED),
        ("", Said.AUTOMATIC),
    ],
)
def test_a_status_report_is_not_always_a_bounce(action: str, said: Said) -> None:
    assert read_mail(status(action, "4.4.1")).said is said


def test_the_code_may_stand_in_the_diagnosis_alone() -> None:
    found = read_mail(status("failed", "", "550 5.1.1 <anna@customer.example> unknown"))
    assert (found.kind, found.status) == (BounceKind.HARD, "5.1.1")


def test_a_bounce_that_follows_no_standard_is_one() -> None:
    raw = (
        b"From: MAILER-DAEMON@mx.example\r\nSubject: failure notice\r\n\r\n"
        b"Hi. This is the qmail-send program at mx.example.\r\n"
        b"I'm afraid I wasn't able to deliver your message to the following addresses.\r\n"
        b"This is a permanent error; I've given up. Sorry it didn't work out.\r\n\r\n"
        b"<anna@customer.example>:\r\nSorry, no mailbox here by that name. (#5.1.1)\r\n\r\n"
        b"--- Below this line is a copy of the message.\r\n"
    )
    found = read_mail(raw)
    assert (found.said, found.kind) == (Said.BOUNCED, BounceKind.HARD)


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("abuse", Said.COMPLAINED),
        ("fraud", Said.COMPLAINED),
        ("not-spam", Said.AUTOMATIC),
        ("", Said.AUTOMATIC),
    ],
)
def test_a_feedback_report_complains(kind: str, said: Said) -> None:
    assert read_mail(feedback(kind)).said is said


@pytest.mark.parametrize(
    "headers",
    [
        {"Auto_Submitted": "auto-replied"},
        {"Auto_Submitted": "auto-generated; owner=x"},
        {"Precedence": "bulk"},
        {"X_Autoreply": "yes"},
        {"X_Auto_Response_Suppress": "All"},
        {"Return_Path": "<>"},
        {"subject": "Automatic reply: How is Cloud?"},
        {"subject": "Abwesenheitsnotiz: Urlaub"},
        {"subject": "Réponse automatique : absent"},
        {"subject": "Autosvar: semester"},
    ],
)
def test_machines_are_told_from_people(headers: dict[str, str]) -> None:
    assert read_mail(mail("I am away until Monday. Please stop by later.", **headers)).said is Said.AUTOMATIC


def test_a_person_may_say_that_nothing_was_automatic() -> None:
    assert read_mail(mail("It is fine.", Auto_Submitted="no")).said is Said.REPLY


@pytest.mark.requirement("R51")
@pytest.mark.parametrize(
    "text",
    [
        "STOP",
        "Please stop.",
        "please stop sending me these surveys!",
        "Unsubscribe me, thanks",
        "Bitte abmelden",
        "Keine weiteren E-Mails mehr",
        "Por favor, no me escriban más.",
        "Hej, sluta skicka",
        "Merci, désabonnez-moi s'il vous plaît",
        "Parar",
        "don’t contact me again",
        "Stop\n\n-- \nAnna Berg\nCEO, Acme",
        "Stop\n\nOn Tue, 3 Mar 2026 at 10:00, Karin Lindqvist wrote:\n> Please answer",
        "stop\n> how likely are you",
    ],
)
def test_whoever_says_stop_and_nothing_else_is_heard(text: str) -> None:
    assert read_mail(mail(text)).said is Said.STOP


def test_the_link_of_a_mail_program_says_stop() -> None:
    assert read_mail(mail("", "unsubscribe")).said is Said.STOP


@pytest.mark.requirement("R51")
@pytest.mark.parametrize(
    "text",
    [
        "Please stop shipping late.",
        "You should stop by our office.",
        "9, great service!",
        "I would like to cancel my order 4711",
        "> stop",
        "",
        "The export stops every night, can you help?",
        "Stop\n" + "It all began when we bought the product. " * 20,
    ],
)
def test_whoever_says_more_is_read_by_a_person(text: str) -> None:
    assert read_mail(mail(text)).said is Said.REPLY


@given(st.binary(max_size=400))
def test_no_mail_breaks_the_reader(raw: bytes) -> None:
    assert read_mail(raw).said in Said


@given(st.text(max_size=200), st.text(max_size=400))
def test_no_text_breaks_it_either(subject: str, text: str) -> None:
    assert says_stop(subject, text) in {True, False}


# --- the address it comes to --------------------------------------------------------------------


@given(st.uuids())
def test_a_return_address_survives_servers_that_fold_case(delivery: UUID) -> None:
    tokens = Tokens(KeyRing(1, {1: b"t" * 32}))
    for way in Way:
        token = tokens.sign(way.value, delivery)
        local = local_part(way, token)
        assert len(local) <= 64
        for folded in (local, local.upper()):
            assert read_local(f"<{folded}@ask.example>") == (way, token)
        verified = tokens.verify(way.value, token)
        assert verified is not None
        assert verified.subject == delivery


@pytest.mark.parametrize(
    "address", ["", "b+@x", "b+!!!@x", "anna@x", "b+" + "a" * 41 + "@x", "q+" + "a" * 53 + "@x"]
)
def test_any_other_address_is_none_of_ours(address: str) -> None:
    found = read_local(address)
    tokens = Tokens(KeyRing(1, {1: b"t" * 32}))
    assert found is None or tokens.verify(found[0].value, found[1]) is None
