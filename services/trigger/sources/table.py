"""Rows of a file as reports: contacts, accounts and historic events. Pure.

A row's id is made of what it says and, unless it says when it was updated, of the day: the same row is taken
once, and on another day it states again how things are.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from services.trigger.domain.directory import is_locale, is_phone, is_zone, reach_of
from services.trigger.domain.model import Reach
from services.trigger.domain.reports import Report, digest_of
from services.trigger.webhooks.body import MAX_ID, BadBodyError, Node
from services.trigger.webhooks.generic import TYPE
from shared.contracts.touchpoints import Touchpoint
from shared.wrong import nearest, reason_of

ROUTE = "/import"
AGAIN = "Mend the line and import the file again: what was taken is not taken twice."
_TIME = "2026-03-01 or 2026-03-01T12:00:00Z"
_DAY = "Write the day, as 2026-03-01, or leave it out."
_LEAVE = "or leave it out."
TO_DO: Mapping[str, str] = {
    "email": "Correct the address, or leave it out where there is an id or a phone number.",
    "consent": "Write yes or no, or leave it empty: then nothing is said about consent.",
    "id": "Give the id by which your system knows it; for a contact an e-mail address or phone will do.",
    "type": "Name what happened, for example order.delivered.",
    "occurred_at": f"Write when it happened, as {_TIME}.",
    "updated_at": f"Write it as {_TIME}, or leave it out: then it is now.",
    "consent_at": f"Write it as {_TIME}, or leave it out.",
    "renewal_on": _DAY,
    "started_on": _DAY,
    "phone": f"Write it with the prefix of its country, as +46 70 123 45 67, {_LEAVE}",
    "locale": f"Write a language, perhaps with a country, as sv or sv-SE, {_LEAVE}",
    "zone": f"Write it as Europe/Stockholm, {_LEAVE}",
    "persona": f"Write user or decision_maker, {_LEAVE}",
    "tier": f"Write small, key or premium, {_LEAVE}",
    "account_tier": f"Write small, key or premium, {_LEAVE}",
    "annual_value": f"Write a plain number, as 12000.50, {_LEAVE}",
    "acquisition_cost": f"Write a plain number, as 12000.50, {_LEAVE}",
    "account": "Give the id by which your system knows the company, or leave its name and tier out.",
    "contact": "Give the contact's id here, an email or a phone; a whole touchpoint goes into data.",
    "subject_kind": "Say what the id in subject_id is of, for example order.",
}
"""What mends a column; elsewhere the reason says it."""
YES, NO = frozenset({"true", "yes", "y", "1", "ja", "sí", "si"}), frozenset({"false", "no", "n", "0", "nej"})
PERSON = ("email", "phone", "name", "locale", "zone", "job_function")
COMPANY = ("name", "industry", "size", "owner", "region", "phase")
_BASIC = 8
_DIGITS = frozenset({_BASIC, 12, 13})
"""Of a day in digits alone: 20260301, or milliseconds since 1970."""


_SHAPES: tuple[tuple[str, Callable[[str], object], str], ...] = (
    ("locale", is_locale, "not a language"),
    ("zone", is_zone, "not a time zone"),
    ("phone", is_phone, "not a phone number"),
)
"""What somebody can mend who has the file, and what a live event must not be refused for."""

NAMED_COMPANY = {"account": "id", "account_name": "name", "account_tier": "tier"}


class Kind(StrEnum):
    """What the rows of a file are."""

    CONTACTS = "contacts"
    ACCOUNTS = "accounts"
    EVENTS = "events"


@dataclass(frozen=True, slots=True)
class Problem:
    """A row that cannot be taken, by its line in the file, and what would mend it; `field` "" = all of it."""

    line: int
    field: str
    reason: str
    what_to_do: str = ""


COLUMNS: Mapping[Kind, tuple[str, ...]] = {
    Kind.CONTACTS: (
        *("id", *PERSON, "persona", "consent", "consent_at"),
        *(*NAMED_COMPANY, "updated_at"),
    ),
    Kind.ACCOUNTS: (
        *("id", *COMPANY, "tier", "annual_value", "acquisition_cost", "started_on", "renewal_on"),
        "updated_at",
    ),
    Kind.EVENTS: (
        *("type", "occurred_at", "id", "contact", *PERSON, "persona", "role", *NAMED_COMPANY),
        *("subject_kind", "subject_id", "product", "service_type", "renewal_on"),
    ),
}


_ONE_OF: Mapping[Kind, tuple[tuple[str, ...], ...]] = {
    Kind.CONTACTS: (("id", "email", "phone"),),
    Kind.ACCOUNTS: (("id",),),
    Kind.EVENTS: (("type",), ("occurred_at",)),
}
"""Of each of these at least one column is needed, or no row can be used."""


class BadRowError(BadBodyError):
    """A row cannot be used; each complaint is a column and a reason."""

    def __init__(self, complaints: Sequence[tuple[str, str]]) -> None:
        super().__init__("; ".join(f"{column}: {reason}" for column, reason in complaints))
        self.complaints = complaints


def own_column(kind: Kind, header: str) -> str:
    """The column of ours that a header is, however it is spaced and capitalised; else the header itself."""
    plain = header.strip().lower().replace(" ", "_")
    return plain if plain in COLUMNS[kind] else header


def missing_columns(kind: Kind, columns: Collection[str]) -> str:
    """A column without which no row can be used, with others that would do; "" when all are there."""
    needed = (some for some in _ONE_OF[kind] if not set(some) & set(columns))
    return next((", ".join(some[:-1]) + f" or {some[-1]}" if some[1:] else some[0] for some in needed), "")


def report_of(kind: Kind, row: Mapping[str, Any], now: datetime) -> Report:
    """What a row reports.

    Raises:
        BadBodyError: It cannot be used; the message begins with the column.
    """
    node = Node(dict(row))
    told, fields = READERS[kind](node)
    updated = node.at("updated_at")
    at = updated.instant() if updated.text() else now
    touchpoint = _touchpoint(kind, node, {"occurred_at": at, **fields})
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
            close = nearest(column.lower().replace(" ", "_"), COLUMNS[kind])
            found.append(f"{column} (did you mean {close}?)" if close else column)
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
    account["annual_value"] = _amount(node.at("annual_value"))
    account["acquisition_cost"] = _amount(node.at("acquisition_cost"))
    account["started_on"] = _day(node.at("started_on"))
    return "account.updated", {"account": account, "renewal_on": _day(node.at("renewal_on"))}


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
    subject = node.at("subject_id").text(MAX_ID)
    return kind, {
        "occurred_at": at,
        "contact": person if person["id"] or person["email"] or person["phone"] else None,
        "account": _account(node),
        "subject": {"kind": node.at("subject_kind").need(), "id": subject} if subject else None,
        "product": node.at("product").text(),
        "service_type": node.at("service_type").text(),
        "renewal_on": _day(node.at("renewal_on")),
    }


READERS: Mapping[Kind, Callable[[Node], tuple[str, dict[str, object]]]] = {
    Kind.CONTACTS: _contact,
    Kind.ACCOUNTS: _company,
    Kind.EVENTS: _event,
}


def _person(node: Node, own: str) -> dict[str, object]:
    found: dict[str, object] = {name: node.at(name).text() for name in PERSON}
    for name, fits, why in _SHAPES:
        if found[name] and not fits(str(found[name])):
            raise node.at(name).wrong(why)
    return found | {"id": own, "persona": node.at("persona").text().lower().replace(" ", "_") or None}


def _account(node: Node) -> dict[str, object] | None:
    found: dict[str, object] = {
        name: node.at(column).text() or None for column, name in NAMED_COMPANY.items()
    }
    if not found["id"] and any(found.values()):
        raise node.at("account").wrong("missing, and something of the company is given")
    return {name: value for name, value in found.items() if value} if found["id"] else None


def _day(node: Node) -> date | None:
    """A calendar day; a bare number is none, for spreadsheets count days from 1900."""
    text = node.text()
    if text.isdigit() and len(text) not in _DIGITS:
        raise node.wrong("not a date")
    return (_iso_day(node) if len(text) == _BASIC else node.day()) if text else None


def _iso_day(node: Node) -> date:
    try:
        return date.fromisoformat(node.text())
    except ValueError as error:
        raise node.wrong("not a date") from error


def _amount(node: Node) -> float | None:
    """A number, however it came; what is no finite one is named."""
    if node.value is None or node.value == "":
        return None
    try:
        found = float(node.value) if not isinstance(node.value, bool) else math.nan
    except (TypeError, ValueError):
        found = math.nan
    if not math.isfinite(found):
        raise node.wrong("not a number")
    return found


def _touchpoint(kind: Kind, node: Node, fields: dict[str, object]) -> Touchpoint:
    """The touchpoint of a row.

    Raises:
        BadRowError: Fields of it break the contract; each is named by its column.
    """
    try:
        return Touchpoint.model_validate(fields)
    except ValidationError as error:
        whole = isinstance(node.at("data").value, dict)
        wrong = error.errors(include_url=False)
        raise BadRowError(
            [(_column(kind, one["loc"], whole=whole), _reason(one)) for one in wrong]
        ) from error


def _column(kind: Kind, path: tuple[str | int, ...], *, whole: bool) -> str:
    """The column from which a field of the touchpoint came."""
    match ("data", *path) if whole else path:
        case ("data", *_) as inside:
            return ".".join(map(str, inside))
        case ("contact", "id") if kind is Kind.EVENTS:
            return "contact"
        case ("account", name) if kind is not Kind.ACCOUNTS:
            return next(column for column, field in NAMED_COMPANY.items() if field == name)
        case ("subject", name):
            return f"subject_{name}"
        case (*_, last) if path != ("occurred_at",) or kind is Kind.EVENTS:
            return str(last)
        case _:
            return "updated_at" if path else "contact"


def _reason(error: ErrorDetails) -> str:
    if not error["loc"]:
        return "names nobody: contact, email, phone, account or product is needed"
    return reason_of(error)


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


def problems_of(line: int, error: BadBodyError) -> list[Problem]:
    """All complaints about a row, each with its column and its reason apart, and with what to do."""
    if isinstance(error, BadRowError):
        return [_problem(line, column, reason) for column, reason in error.complaints]
    column, _, reason = str(error).partition(": ")
    return [_problem(line, column, reason)]


def problem_of(line: int, error: BadBodyError) -> Problem:
    """The first complaint about a row."""
    return problems_of(line, error)[0]


def _problem(line: int, column: str, reason: str) -> Problem:
    return Problem(line, column, reason, TO_DO.get(column.rpartition(".")[2], AGAIN))
