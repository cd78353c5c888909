"""Rows of a file as reports: contacts, accounts and historic events. Pure.

A row's id is made of what it says and, unless it says when it was updated, of the day: the same row is taken
once, and on another day it states again how things are.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from services.trigger.domain.directory import reach_of
from services.trigger.domain.model import Reach
from services.trigger.domain.reports import Report, digest_of
from services.trigger.webhooks.body import MAX_ID, BadBodyError, Node, touchpoint_of
from services.trigger.webhooks.generic import TYPE
from shared.contracts.touchpoints import Touchpoint

ROUTE = "/import"
AGAIN = "Mend the line and import the file again: what was taken is not taken twice."
_TIME = "2026-03-01 or 2026-03-01T12:00:00Z"
TO_DO: Mapping[str, str] = {
    "email": "Correct the address, or leave it out where there is an id or a phone number.",
    "consent": "Write yes or no, or leave it empty: then nothing is said about consent.",
    "id": "Give the id by which your system knows it; for a contact an e-mail address or phone will do.",
    "type": "Name what happened, for example order.delivered.",
    "occurred_at": f"Write when it happened, as {_TIME}.",
    "updated_at": f"Write it as {_TIME}, or leave it out: then it is now.",
    "consent_at": f"Write it as {_TIME}, or leave it out.",
    "renewal_on": "Write the day, as 2026-03-01.",
    "started_on": "Write the day, as 2026-03-01.",
    "subject_kind": "Say what the id in subject_id is of, for example order.",
}
"""What mends a column; elsewhere the reason says it."""
YES, NO = frozenset({"true", "yes", "y", "1", "ja", "sí", "si"}), frozenset({"false", "no", "n", "0", "nej"})
PERSON = ("email", "phone", "name", "locale", "zone", "job_function")
COMPANY = ("name", "industry", "size", "owner", "region", "phase")
NAMED_COMPANY = {"account": "id", "account_name": "name", "account_tier": "tier"}


class Kind(StrEnum):
    """What the rows of a file are."""

    CONTACTS = "contacts"
    ACCOUNTS = "accounts"
    EVENTS = "events"


@dataclass(frozen=True, slots=True)
class Problem:
    """A row that cannot be taken, by its line in the file, and what would mend it."""

    line: int
    field: str
    reason: str
    what_to_do: str = ""


COLUMNS: Mapping[Kind, tuple[str, ...]] = {
    Kind.CONTACTS: (
        *("id", *PERSON, "persona", "consent", "consent_at"),
        *(*NAMED_COMPANY, "updated_at"),
    ),
    Kind.ACCOUNTS: ("id", *COMPANY, "tier", "annual_value", "started_on", "renewal_on", "updated_at"),
    Kind.EVENTS: (
        *("type", "occurred_at", "id", "contact", *PERSON, "persona", "role", *NAMED_COMPANY),
        *("subject_kind", "subject_id", "product", "service_type", "renewal_on"),
    ),
}


def report_of(kind: Kind, row: Mapping[str, Any], now: datetime) -> Report:
    """What a row reports.

    Raises:
        BadBodyError: It cannot be used; the message begins with the column.
    """
    node = Node(dict(row))
    told, fields = READERS[kind](node)
    updated = node.at("updated_at")
    at = updated.instant() if updated.text() else now
    touchpoint = touchpoint_of(node, {"occurred_at": at, **fields})
    _check_addresses(node, touchpoint)
    said = digest_of(dict(row))
    day = "" if updated.text() or kind is Kind.EVENTS else f"/{now:%Y-%m-%d}"
    own = node.at("id").text(MAX_ID) if kind is Kind.EVENTS else ""
    event_id = f"{kind}/{own or said}{day}"[:MAX_ID]
    return Report(event_id, said, ROUTE, event_id, told, touchpoint, own=(own,))


def unknown_columns(kind: Kind, columns: Iterable[str]) -> list[str]:
    """Columns that are passed over, each with what was perhaps meant."""
    found = []
    for column in columns:
        if column and column not in COLUMNS[kind]:
            close = difflib.get_close_matches(column.lower().replace(" ", "_"), COLUMNS[kind], n=1)
            found.append(f"{column} (did you mean {close[0]}?)" if close else column)
    return found


def _contact(node: Node) -> tuple[str, dict[str, object]]:
    person = _person(node, node.at("id").text(MAX_ID))
    if not (person["id"] or person["email"] or person["phone"]):
        raise node.at("id").wrong("missing, and there is neither email nor phone")
    said_at = node.at("consent_at")
    person["consent"] = _consent(node.at("consent"))
    person["consent_at"] = said_at.instant() if said_at.text() else None
    return "contact.updated", {"contact": person, "account": _account(node)}


def _company(node: Node) -> tuple[str, dict[str, object]]:
    account: dict[str, object] = {name: node.at(name).text() for name in COMPANY}
    account |= {"id": node.at("id").need(), "tier": node.at("tier").text().lower() or None}
    account["annual_value"] = node.at("annual_value").value or None
    started, renewal = node.at("started_on"), node.at("renewal_on")
    account["started_on"] = started.day() if started.text() else None
    return "account.updated", {"account": account, "renewal_on": renewal.day() if renewal.text() else None}


def _event(node: Node) -> tuple[str, dict[str, object]]:
    kind = node.at("type").need()
    if not TYPE.fullmatch(kind):
        raise node.at("type").wrong("must be lower-case words joined by dots, as order.delivered")
    data = node.at("data").value
    if isinstance(data, dict) and data.get("occurred_at") is not None:
        return kind, data
    at = node.at("occurred_at").instant()
    if isinstance(data, dict):
        return kind, {**data, "occurred_at": at}
    person = _person(node, node.at("contact").text(MAX_ID)) | {"role": node.at("role").text()}
    subject, renewal = node.at("subject_id").text(MAX_ID), node.at("renewal_on")
    return kind, {
        "occurred_at": at,
        "contact": person if person["id"] or person["email"] or person["phone"] else None,
        "account": _account(node),
        "subject": {"kind": node.at("subject_kind").need(), "id": subject} if subject else None,
        "product": node.at("product").text(),
        "service_type": node.at("service_type").text(),
        "renewal_on": renewal.day() if renewal.text() else None,
    }


READERS: Mapping[Kind, Callable[[Node], tuple[str, dict[str, object]]]] = {
    Kind.CONTACTS: _contact,
    Kind.ACCOUNTS: _company,
    Kind.EVENTS: _event,
}


def _person(node: Node, own: str) -> dict[str, object]:
    found: dict[str, object] = {name: node.at(name).text() for name in PERSON}
    return found | {"id": own, "persona": node.at("persona").text().lower().replace(" ", "_") or None}


def _account(node: Node) -> dict[str, object] | None:
    found: dict[str, object] = {
        name: node.at(column).text() or None for column, name in NAMED_COMPANY.items()
    }
    return {name: value for name, value in found.items() if value} if found["id"] else None


def _consent(node: Node) -> bool | None:
    if isinstance(node.value, bool):
        return node.value
    word = node.text().lower()
    if word in YES | NO:
        return word in YES
    if word:
        raise node.wrong("must be yes or no")
    return None


def _check_addresses(node: Node, touchpoint: Touchpoint) -> None:
    """A file comes from somebody who can mend it, so an address that cannot be right is a row to look at.

    Raises:
        BadBodyError: Somebody's e-mail address cannot be right.
    """
    places = [node.at("email")]
    if isinstance(node.at("data").value, dict):
        data = node.at("data")
        places = [one.at("email") for one in (data.at("contact"), *data.at("contacts").items())]
    told = [person.email for person in touchpoint.people]
    for place in places:
        if place.value and place.text() in told and reach_of(place.text())[0] is Reach.INVALID:
            raise place.wrong("not an e-mail address")


def problem_of(line: int, error: BadBodyError) -> Problem:
    """A complaint about a row, its column and its reason apart, with what to do."""
    column, _, reason = str(error).partition(": ")
    return Problem(line, column, reason, TO_DO.get(column.rpartition(".")[2], AGAIN))


def unread(line: int, reason: str) -> Problem:
    """A line that is no row, and why."""
    return Problem(line, "", reason, AGAIN)
