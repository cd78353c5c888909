"""What form tools send: Typeform's webhook with its signature, exports of SurveyMonkey and Qualtrics."""

from __future__ import annotations

import base64
import csv
import hashlib
import hmac
import io
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import httpx

from shared.contracts.forms import Form
from shared.contracts.model import Family
from shared.contracts.programmes import ProgrammePublished, ProgrammeState
from shared.contracts.surveys import CloseTheLoop
from tests.support.collector import Collector

OLD, NEW = "the-older-secret-of-two", "the-newer-secret-of-two"
TYPEFORM = "/webhooks/typeform"
LOOP = CloseTheLoop(playbook="first-aid", happy_task="thank_team")
AT = datetime(2026, 3, 3, 8, 59, 30, tzinfo=UTC)

FORMS = """
forms:
  easy:
    tool: typeform
    form_id: lT4Z3j
    programme: onboarding-ces
    score: {field: effort, scale: 1-7}
    comment: words
    contact: {id: hidden.contact, email: your_email, name: your_name}
    account: hidden.account
    product: hidden.product
    subject: {kind: project, id: hidden.project}
    context: {agent: hidden.agent}
  loyal:
    tool: typeform
    form_id: nPs42
    programme: renewal-nps
    score: {field: recommend, scale: 0-10}
    comment: why
    questions:
      matters: {field: first, values: {Cheap: value}}
      rate.speed: {field: speed, scale: 1-5}
      quote: {field: may_quote}
  monkey:
    tool: surveymonkey
    programme: renewal-nps
    score: {field: How likely are you to recommend us?, scale: 0-10, values: {Not at all likely - 0: 0}}
    comment: Why?
    questions: {rate.speed: {field: How do we do? | Speed, scale: 1-5}}
    contact: {email: Email Address}
    zone: Europe/Stockholm
  qualtrics:
    tool: qualtrics
    programme: renewal-nps
    score: {field: Q1, scale: 0-10}
    comment: Q2
    contact: {email: RecipientEmail, id: ExternalReference}
    account: account_id
"""


def chosen(ref: str, value: float, kind: str = "opinion_scale") -> dict[str, Any]:
    """A number that was chosen."""
    return {"type": "number", "number": value, "field": {"id": f"id-{ref}", "ref": ref, "type": kind}}


def text(ref: str, value: str, kind: str = "text") -> dict[str, Any]:
    """Words that were written."""
    return {"type": kind, kind: value, "field": {"id": f"id-{ref}", "ref": ref, "type": "long_text"}}


def response(
    *answers: dict[str, Any], form_id: str = "lT4Z3j", ident: str = "t1", **more: Any
) -> dict[str, Any]:
    """The body of a webhook, as Typeform's own example has it."""
    at = more.pop("at", AT)
    return {
        "event_id": more.pop("event_id", "LtWXD3crgy"),
        "event_type": more.pop("event_type", "form_response"),
        "form_response": {
            "form_id": form_id, "token": ident, "landed_at": "2026-03-03T08:50:00Z",
            "submitted_at": at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "calculated": {"score": 9},
            "variables": [{"key": "score", "type": "number", "number": 4}],
            "definition": {"id": form_id, "title": "Webhooks example", "fields": [], "endings": []},
            "answers": list(answers),
            **more,
        },
    }  # fmt: skip


def signed(secret: str, body: bytes) -> dict[str, str]:
    """The header of Typeform's documentation: SHA-256 of the raw body, keyed, in base64."""
    digest = hmac.new(secret.encode(), body, hashlib.sha256).digest()
    return {"Typeform-Signature": f"sha256={base64.b64encode(digest).decode()}"}


def written(body: dict[str, Any]) -> bytes:
    """A body as it goes over the wire."""
    return json.dumps(body).encode()


def table(*rows: Sequence[str]) -> str:
    """Rows as CSV."""
    sink = io.StringIO()
    csv.writer(sink).writerows(rows)
    return sink.getvalue()


MONKEY = (
    ("Respondent ID", "Collector ID", "Start Date", "End Date", "IP Address", "Email Address", "First Name",
     "Last Name", "Custom Data 1", "How likely are you to recommend us?", "Why?", "How do we do?", ""),
    ("", "", "", "", "", "", "", "", "", "", "Open-Ended Response", "Speed", "Value for money"),
)  # fmt: skip


def monkey(respondent: str, score: str, why: str = "", *, email: str = "", **more: str) -> tuple[str, ...]:
    """A row of an export of SurveyMonkey."""
    at = more.get("at", "03/03/2026 09:30:00 AM")
    return (
        respondent,
        "c1",
        "03/03/2026 09:20:00 AM",
        at,
        "",
        email,
        "",
        "",
        "",
        score,
        why,
        more.get("speed", ""),
        "",
    )


def imported(name: str, zone: str = "") -> str:
    """What Qualtrics' third line says of a field."""
    return json.dumps({"ImportId": name} | ({"timeZone": zone} if zone else {}))


QUALTRICS_FIELDS = (
    *("StartDate", "EndDate", "Status", "Progress", "Finished", "RecordedDate", "ResponseId"),
    *("RecipientEmail", "ExternalReference", "Q1_NPS_GROUP", "Q1", "Q2", "account_id"),
)
QUALTRICS = (
    QUALTRICS_FIELDS,
    tuple(f"Text of {name}" for name in QUALTRICS_FIELDS),
    tuple(imported(name, "America/Denver" if name.endswith("Date") else "") for name in QUALTRICS_FIELDS),
)


def qualtrics(ident: str, score: str, why: str = "", **more: str) -> tuple[str, ...]:
    """A row of an export of Qualtrics."""
    at = more.get("at", "2026-03-03 01:30:00")
    return (
        "2026-03-03 01:20:00", at, more.get("status", "IP Address"), "100", more.get("finished", "True"), at,
        ident,
        more.get("email", ""), more.get("id", ""), "", score, why, more.get("account", ""),
    )  # fmt: skip


def published(key: str, asks: Form, revision: int = 1, **changes: object) -> ProgrammePublished:
    """A programme as trigger tells of it."""
    values: dict[str, object] = {
        "programme": key, "version": f"v{revision}", "revision": revision, "state": ProgrammeState.ACTIVE,
        "family": Family.TRANSACTIONAL, "definition": {}, "form": asks, "close_the_loop": LOOP,
        "breakdown": ("form",), "stage": "onboarding", "open_for_days": 14,
    }  # fmt: skip
    return ProgrammePublished.model_validate(values | changes)


async def post(site: Collector, body: dict[str, Any], secret: str = OLD) -> httpx.Response:
    """Call the webhook as Typeform does."""
    raw = written(body)
    async with site.client() as client:
        return await client.post(
            TYPEFORM,
            content=raw,
            headers={"accept": "*/*", "user-agent": "Typeform Webhooks"} | signed(secret, raw),
        )
