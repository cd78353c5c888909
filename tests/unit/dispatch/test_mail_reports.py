"""Reports of mail providers: proven in each one's way, hard, soft and policy told apart.

The signatures are made here by the providers' published schemes, with keys of our own.
"""

from __future__ import annotations

import base64
import hmac
import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given, settings
from hypothesis import strategies as st

from services.dispatch.webhooks import mail
from services.dispatch.webhooks.mail import What
from shared.contracts.deliveries import BounceKind

DELIVERY = "1f0a7d1e-8f3c-5e0e-9d5a-3a1f6d1f0a7d"
OURS = f"<{DELIVERY}@northwind.example>"
WHO = "anna@customer.example"
HARD, SOFT, POLICY = BounceKind.HARD, BounceKind.SOFT, BounceKind.POLICY
ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


def only(reports: list[mail.MailReport]) -> tuple[What, BounceKind | None, UUID | None, str]:
    [report] = reports
    return report.what, report.kind, report.delivery_id, report.recipient


# --- SES ----------------------------------------------------------------------------------------


def ses(kind: str, **fields: Any) -> dict[str, Any]:
    told = {
        "notificationType": kind,
        "mail": {"source": "b+x@ask.example", "headers": [{"name": "Message-ID", "value": OURS}]},
        **fields,
    }
    return {"Type": "Notification", "Message": json.dumps(told)}


@pytest.mark.requirement("R57")
@pytest.mark.parametrize(
    ("kind", "sub", "status", "expected"),
    [
        ("Permanent", "General", "5.1.1", HARD),
        ("Permanent", "Suppressed", "", HARD),
        ("Permanent", "General", "5.7.1", POLICY),
        ("Transient", "MailboxFull", "5.2.2", SOFT),
        ("Transient", "ContentRejected", "", POLICY),
        ("Undetermined", "Undetermined", "", SOFT),
    ],
)
def test_bounces_of_ses(kind: str, sub: str, status: str, expected: BounceKind) -> None:
    bounced = [{"emailAddress": WHO, "status": status}]
    told = ses("Bounce", bounce={"bounceType": kind, "bounceSubType": sub, "bouncedRecipients": bounced})
    assert only(mail.read_ses(told)) == (What.BOUNCED, expected, UUID(DELIVERY), WHO)


def test_complaints_and_deliveries_of_ses() -> None:
    people = [{"emailAddress": WHO}]
    found = mail.read_ses(ses("Complaint", complaint={"complainedRecipients": people}))
    assert only(found) == (What.COMPLAINED, None, UUID(DELIVERY), WHO)
    found = mail.read_ses(ses("Delivery", delivery={"recipients": [WHO]}))
    assert only(found) == (What.DELIVERED, None, UUID(DELIVERY), WHO)
    assert mail.read_ses(ses("Open")) == []


# --- SendGrid, Mailgun, Postmark ----------------------------------------------------------------


def test_sendgrid_is_believed_by_its_signature() -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    shown = key.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    public, body = base64.b64encode(shown).decode(), b"[]\r\n"
    signature = base64.b64encode(key.sign(b"1600112502" + body, ec.ECDSA(hashes.SHA256()))).decode()
    assert mail.sendgrid_is_signed(body, "1600112502", signature, public)
    assert not mail.sendgrid_is_signed(body, "1600112503", signature, public)
    assert not mail.sendgrid_is_signed(b"[]", "1600112502", signature, public)
    assert not mail.sendgrid_is_signed(body, "1600112502", "", public)
    assert not mail.sendgrid_is_signed(body, "1600112502", signature, "")


@pytest.mark.parametrize(
    ("event", "what", "kind"),
    [
        ({"event": "bounce", "type": "bounce", "status": "5.1.1"}, What.BOUNCED, HARD),
        ({"event": "bounce", "type": "bounce", "reason": "550 unknown"}, What.BOUNCED, HARD),
        ({"event": "bounce", "type": "blocked", "reason": "550 5.7.1 spam"}, What.BOUNCED, POLICY),
        ({"event": "bounce", "type": "blocked", "reason": "451 4.3.0 later"}, What.BOUNCED, POLICY),
        ({"event": "dropped", "reason": "Bounced Address"}, What.BOUNCED, HARD),
        ({"event": "delivered"}, What.DELIVERED, None),
        ({"event": "spamreport"}, What.COMPLAINED, None),
        ({"event": "unsubscribe"}, What.STOPPED, None),
    ],
)
def test_events_of_sendgrid(event: dict[str, str], what: What, kind: BounceKind | None) -> None:
    told = [{"email": WHO, "smtp-id": OURS, **event}, {"event": "open"}, {"event": "deferred"}]
    assert only(mail.read_sendgrid(told)) == (what, kind, UUID(DELIVERY), WHO)


def mailgun(event: str, **fields: Any) -> dict[str, Any]:
    data = {"event": event, "recipient": WHO, "message": {"headers": {"message-id": OURS[1:-1]}}, **fields}
    return {"event-data": data}


@pytest.mark.parametrize(
    ("told", "what", "kind"),
    [
        (mailgun("delivered"), What.DELIVERED, None),
        (mailgun("failed", severity="permanent"), What.BOUNCED, HARD),
        (
            mailgun("failed", severity="permanent", **{"delivery-status": {"message": "5.7.1 no"}}),
            What.BOUNCED,
            POLICY,
        ),
        (mailgun("complained"), What.COMPLAINED, None),
        (mailgun("unsubscribed"), What.STOPPED, None),
    ],
)
def test_events_of_mailgun(told: dict[str, Any], what: What, kind: BounceKind | None) -> None:
    assert only(mail.read_mailgun(told)) == (what, kind, UUID(DELIVERY), WHO)


def test_a_temporary_failure_of_mailgun_is_mailguns_affair() -> None:
    assert mail.read_mailgun(mailgun("failed", severity="temporary")) == []


def test_mailgun_is_believed_by_its_signature() -> None:
    sign = hmac.digest(b"key", b"1529006854" + b"a8ce", "sha256").hex()
    told = {"signature": {"timestamp": "1529006854", "token": "a8ce", "signature": sign}}
    assert mail.mailgun_is_signed(told, ["other", "key"])
    assert not mail.mailgun_is_signed(told, ["other"])
    assert not mail.mailgun_is_signed(told, [])
    assert not mail.mailgun_is_signed({"signature": {"signature": "ü"}}, ["key"])
    assert not mail.mailgun_is_signed({}, ["key"])


@pytest.mark.parametrize(
    ("told", "what", "kind"),
    [
        ({"RecordType": "Bounce", "Type": "HardBounce", "Email": WHO}, What.BOUNCED, HARD),
        ({"RecordType": "Bounce", "Type": "SoftBounce", "Email": WHO}, What.BOUNCED, SOFT),
        ({"RecordType": "Bounce", "Type": "DMARCPolicy", "Email": WHO}, What.BOUNCED, POLICY),
        ({"RecordType": "SpamComplaint", "Email": WHO}, What.COMPLAINED, None),
        ({"RecordType": "Delivery", "Recipient": WHO}, What.DELIVERED, None),
        ({"RecordType": "SubscriptionChange", "SuppressSending": True, "Recipient": WHO}, What.STOPPED, None),
    ],
)
def test_calls_of_postmark_name_the_recipient_alone(
    told: dict[str, Any], what: What, kind: BounceKind | None
) -> None:
    assert only(mail.read_postmark(told)) == (what, kind, None, WHO)


NAMES = st.sampled_from(
    [
        "Message", "mail", "commonHeaders", "headers", "bounce", "bouncedRecipients", "complaint",
        "delivery", "complainedRecipients", "recipients", "message", "delivery-status", "Metadata", "status",
    ]
)  # fmt: skip


@settings(max_examples=40)
@given(
    st.dictionaries(NAMES, ANY_JSON | st.dictionaries(NAMES, ANY_JSON, max_size=3), max_size=6),
    st.sampled_from(["Bounce", "Complaint", "Delivery"]),
    st.sampled_from(["failed", "delivered", "bounce", "complained"]),
)
def test_fields_of_other_types_than_documented_break_no_reader(
    told: dict[str, Any], kind: str, event: str
) -> None:
    inner = told | {"notificationType": kind, "RecordType": kind, "event": event}
    mail.read_ses({"Message": json.dumps(inner)})
    mail.read_sendgrid([inner, told, event])
    mail.read_mailgun({"event-data": inner})
    mail.read_postmark(inner)


@given(ANY_JSON)
def test_no_report_breaks_a_reader(told: object) -> None:
    events = [e for e in told if isinstance(e, dict)] if isinstance(told, list) else told
    assert mail.read_sendgrid(events) == [] or isinstance(events, list)
    if isinstance(told, dict):
        mail.read_mailgun(told)
        mail.read_postmark(told)
        mail.read_ses(told)


STAMP = 1_529_006_854


@pytest.mark.parametrize(
    ("age", "token", "good"),
    [
        (-5 * 60 - 1, "a8ce", False),
        (-5 * 60, "a8ce", True),
        (0, "a8ce", True),
        (12 * 3600, "a8ce", True),
        (12 * 3600 + 1, "a8ce", False),
        (0, "", False),
        (0, "a/8", False),
        (0, "a" * 101, False),
    ],
)
def test_a_call_of_mailgun_is_good_for_the_time_in_which_it_repeats_it(
    age: float, token: str, *, good: bool
) -> None:
    told = {"signature": {"timestamp": str(STAMP), "token": token}}
    now = datetime.fromtimestamp(STAMP, UTC) + timedelta(seconds=age)
    assert mail.mailgun_token(told, now) == (token if good else "")


@pytest.mark.parametrize("stamp", [None, "", "-1", "1e9", "9" * 12, "\N{ARABIC-INDIC DIGIT ONE}", 1.5, []])
def test_a_time_that_is_none_proves_nothing(stamp: object) -> None:
    told = {"signature": {"timestamp": stamp, "token": "a8ce"}}
    assert mail.mailgun_token(told, datetime.fromtimestamp(STAMP, UTC)) == ""
