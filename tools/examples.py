"""One example of every event, all from one story: Ana at Acme finds her support ticket badly resolved.

Values are given by the name of the field, so that one thing carries one id in every event. An optional field
without a value here is left at its default; a required one without a value is an error.
"""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from shared.contracts import (
    cases,
    deliveries,
    directory,
    improvements,
    messages,
    permissions,
    programmes,
    responses,
    scores,
    surveys,
    tickets,
)
from shared.contracts.model import Payload
from shared.contracts.touchpoints import Touchpoint
from tools import flow

CONTACT = "0b6c1a52-51c5-5d6e-9a0b-6a1c52e4f7aa"
ACCOUNT = "7f4d2f6e-6f0d-5b7c-8a43-2d8f0f6b9c11"
SURVEY = "c1a7b8e4-0d35-5a3b-b7a5-9f3f8f3b1d20"
TICKET = "5d9a0f3b-8a52-5f4e-9c58-3b1d2f6e7a90"
SEALED = "1.pT8vY2ZtQ0ZbV0xhN3c9.Rm9yIEFuYSdzIGtleSBhbG9uZQ"

ASKED, HANDED_OVER, ANSWERED, DUE, CLOSES = (
    "2027-03-02T09:30:00Z",
    "2027-03-02T09:30:04Z",
    "2027-03-02T10:12:31Z",
    "2027-03-03T10:12:31Z",
    "2027-04-01T09:30:00Z",
)

SNAPSHOT = {
    "programme": "support-csat",
    "version": "9d1f6a07",
    "family": "transactional",
    "touchpoint": "support_ticket.resolved",
    "contact_id": CONTACT,
    "account_id": ACCOUNT,
    "account_name": "Acme Instruments",
    "tier": "key",
    "industry": "manufacturing",
    "owner": "maria.lund@example.com",
    "persona": "user",
    "locale": "es",
    "zone": "Europe/Madrid",
    "channel": "email",
    "stage": "support",
    "subject_kind": "ticket",
    "subject_id": "4711",
    "context": {"agent": "Jon"},
}
SCORE_ROW = {"id": "csat", "type": "csat", "text": {"en": "How satisfied are you with the help you got?"}}
WHY = {
    "id": "why",
    "type": "text",
    "text": {"en": "What went wrong?"},
    "optional": True,
    "when": {"csat": {"lte": 2}},
}

VALUES: Mapping[str, object] = {
    "account_id": ACCOUNT,
    "asked_at": HANDED_OVER,
    "at": ANSWERED,
    "brand": {"name": "Northwind Support", "colour": "#1f5eff", "address": "1 Quay Street, Bristol"},
    "by": "system",
    "cell": "csat/transactional/all/all",
    "channel": "email",
    "channels": ["email"],
    "close_the_loop": {"ticket": True, "contact_within_hours": 24, "playbook": "call-back"},
    "closes_at": CLOSES,
    "contact_due_at": DUE,
    "contact_id": CONTACT,
    "contact_ids": [CONTACT],
    "definition": {"key": "support-csat", "when": {"touchpoint": "support_ticket.resolved", "delay": "2h"}},
    "delivery_id": "e27d3f14-2b6a-5c0e-8e0d-0a4c1b5d6f70",
    "external_id": "crm-1042",
    "family": "transactional",
    "first_at": ANSWERED,
    "form": {
        "primary": "csat",
        "low": 2,
        "title": {"en": "Your support ticket"},
        "questions": [SCORE_ROW, WHY],
    },
    "letter": {
        "subject": {"en": "How did we handle your ticket?"},
        "intro": {"en": "You recently had help from {agent}."},
        "sender_name": "Maria Lund",
        "sender_email": "maria.lund@example.com",
    },
    "locale": "es",
    "low": 2,
    "message_id": "f8b1c9d2-74e3-5a16-9d2c-1e5f7a8b9c03",
    "metric": "csat",
    "mood": "unhappy",
    "name": "Northwind",
    "occurred_at": "2027-03-02T07:30:00Z",
    "opened_at": ANSWERED,
    "owner": "maria.lund@example.com",
    "own_domains": ["northwind.example"],
    "person": SEALED,
    "persona": "user",
    "primary": "csat",
    "programme": "support-csat",
    "public_url": "https://ask.northwind.example",
    "received_at": ANSWERED,
    "requested_at": ASKED,
    "response_id": "3a6e5b9c-1f7d-5e82-a4b0-7c9d8e1f2a34",
    "revision": 3,
    "scores": [{"question": "csat", "type": "csat", "value": 2}],
    "sender": {"name": "Maria Lund", "email": "maria.lund@northwind.example"},
    "slots": {"agent": "Jon"},
    "snapshot": SNAPSHOT,
    "state": "open",
    "step": 1,
    "survey_id": SURVEY,
    "survey_ids": [SURVEY],
    "ticket_id": TICKET,
    "tier": "key",
    "version": 2,
    "words": SEALED,
    "zone": "Europe/Madrid",
}

# Where a field of this name means something else in one event, or is told further there.
OWN: Mapping[type[Payload], Mapping[str, object]] = {
    Touchpoint: {
        "contact": {"id": "u-88", "email": "ana.ruiz@acme.example", "name": "Ana Ruiz", "role": "requester"},
        "account": {
            "id": "crm-1042",
            "name": "Acme Instruments",
            "tier": "key",
            "owner": "maria.lund@example.com",
        },
        "subject": {"kind": "ticket", "id": "4711"},
        "context": {"agent": "Jon"},
    },
    directory.AccountChanged: {
        "name": "Acme Instruments",
        "industry": "manufacturing",
        "renewal_on": "2027-09-30",
    },
    directory.ContactChanged: {"external_id": "u-88", "consent": "unknown"},
    directory.ContactErased: {"erased_at": "2027-05-01T08:00:00Z"},
    directory.ContextRecorded: {"kind": "incident", "data": {"severity": 2}},
    cases.QuestionDecided: {
        "question_id": "5c1a7e0d-2f5b-5a3e-8d7e-6b1f0c9a4d21",
        "run": 1,
        "programme": "recovery",
        "outcome": "planned",
        "until": "2027-03-09T09:00:00Z",
    },
    surveys.SurveyRequested: {"version": 1},
    surveys.SurveyShared: {
        "version": 1,
        "link_id": "3f0d6a51-6a0e-5d7c-9b0a-0a4f3c7f2d11",
        "label": "newsletter-march",
        "shared_at": "2027-03-01T09:00:00Z",
    },
    surveys.SurveyCancelled: {"reason": "opted_out", "cancelled_at": "2027-03-05T12:00:00Z"},
    surveys.SurveyClosed: {"closed_at": CLOSES},
    surveys.SurveyExtended: {"closes_at": "2027-04-10T09:30:00Z"},
    deliveries.DeliveryFailed: {"reason": "invalid_address", "detail": "550 5.1.1"},
    deliveries.DeliverySuppressed: {"reason": "opted_out"},
    deliveries.DeliveryPassedOn: {
        "channel": "sms",
        "reason": "invalid_address",
        "next_channel": "email",
        "detail": "sms: 400 21614",
    },
    deliveries.DeliveryReplied: {"channel": "sms", "reply_id": "SM2b1f", "score": 9},
    deliveries.DeliveryBounced: {"kind": "hard", "detail": "550 5.1.1"},
    deliveries.DeliveryLinkReady: {"url": "https://ask.northwind.example/s/1aBc", "channel": "link"},
    deliveries.ContactUnsubscribed: {"scope": "all", "via": "one_click"},
    deliveries.ContactResubscribed: {"via": "sms"},
    responses.ResponseAmended: {"version": 3},
    responses.ResponseHeld: {"verdict": "machine", "evidence": ["burst"]},
    responses.ResponseWithdrawn: {"reason": "erased"},
    responses.IncentiveChanged: {
        "version": 1,
        "at": "2027-03-04T09:00:00Z",
        "redeemed_at": "2027-03-04T08:58:00Z",
        "reference": "V-1042",
    },
    tickets.TicketAcknowledged: {"state": "acknowledged"},
    tickets.TicketContacted: {"state": "contacted"},
    tickets.TicketEscalated: {"level": 2, "clock": "contact"},
    tickets.TicketResolved: {"state": "resolved", "cause": "wrong_fix", "how": "person", "contacted": True},
    tickets.TicketRecovered: {"state": "resolved"},
    messages.MessageRequested: {"kind": "first_reply"},
    permissions.PermissionNoted: {
        "permission": "quote",
        "given": True,
        "by": "user:41b7f2d0-95c3-5e6a-8b1d-0f3c7a9e2d58",
    },
    improvements.ImprovementChanged: {
        "improvement_id": "2c9e4a71-6b0d-5f38-9e1c-7d5a3b8f0c46",
        "version": 7,
        "stage": "measured",
        "title": "Somebody calls back within a day",
        "theme": "support_speed",
        "impact": 5,
        "effort": 2,
        "owner": "41b7f2d0-95c3-5e6a-8b1d-0f3c7a9e2d58",
        "due_on": "2027-04-01",
        "shipped_at": "2027-03-28T12:00:00Z",
        "ended_at": "2027-06-30T08:15:00Z",
        "effects": [
            {
                "scale": "csat",
                "verdict": "better",
                "n_before": 64,
                "n_after": 71,
                "accounts_before": 31,
                "accounts_after": 35,
                "before": 62.5,
                "after": 84.5,
                "points": 22.0,
                "low": 3.1,
                "high": 39.2,
            }
        ],
        "counted_at": "2027-06-27T12:00:30Z",
        "at": "2027-06-30T08:15:00Z",
    },
    programmes.ProgrammePublished: {"state": "active", "version": "9d1f6a07"},
    scores.ScoreChanged: {
        "dimension": "all",
        "value": "all",
        "n": 42,
        "score": 78.6,
        "low": 64.1,
        "high": 88.3,
        "histogram": {"2": 4, "3": 5, "4": 13, "5": 20},
    },
    scores.ScoreDropped: {"before": 82.0, "after": 61.5, "n_before": 120, "n_after": 40},
    scores.ThemeRising: {
        "theme": "billing",
        "names": {"en": "Invoices and payment"},
        "team": "finance",
        "n_before": 9,
        "n_after": 14,
        "comments_before": 150,
        "comments_after": 52,
        "before": 6.2,
        "after": 26.9,
        "low": 9.1,
        "high": 34.0,
        "chance": 0.0013,
        "negative_before": 6,
        "negative_after": 12,
        "accounts": 11,
        "programmes": ["support-csat"],
        "happened": ["release: Invoices 2.0"],
    },
    scores.ChurnRising: {
        "left_before": 9,
        "left_after": 8,
        "renewed_before": 88,
        "renewed_after": 13,
        "accounts_before": 246,
        "accounts_after": 243,
        "before": 0.61,
        "after": 3.29,
        "expected": 1.5,
        "low": 2.13,
        "high": 13.4,
        "chance": 0.0007,
        "parts": ["tier:small"],
        "happened": ["release: Suite 4.2"],
    },
}


def example(model: type[Payload]) -> dict[str, Any]:
    """Return the data of an example event as JSON would carry it, defaults left out.

    Raises:
        KeyError: a required field has no value in this story.
    """
    told = {**VALUES, **OWN.get(model, {})}
    given = {name: told[name] for name in model.model_fields if name in told}
    required = {name for name, field in model.model_fields.items() if field.is_required()}
    missing = sorted(required - given.keys())
    if missing:
        raise KeyError(f"{model.TYPE}: tools/examples.py has no value for {', '.join(missing)}")
    known: BaseModel = model.model_validate(given)
    data: dict[str, Any] = known.model_dump(mode="json", exclude_unset=True)
    return data


def headers(model: type[Payload], event_type: str) -> dict[str, str]:
    """Return the record headers of the example, binary mode."""
    sender = next(iter(flow.senders(model)), "trigger")
    return {
        "ce_specversion": "1.0",
        "ce_id": "9a1f7c3e-52d4-5b8a-8f6e-4c2d1b0a9e87",
        "ce_source": "https://helpdesk.northwind.example" if model is Touchpoint else f"/afterword/{sender}",
        "ce_type": event_type,
        "ce_time": ASKED,
        "ce_subject": SURVEY,
        "ce_partitionkey": ACCOUNT,
        "content-type": "application/json",
    }
