"""Salesforce change events from Kafka: cases, contracts, opportunities, contacts and accounts.

An update holds changed fields alone, so most of them are thin. Contacts and accounts feed the directory under
`salesforce:<record id>`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from services.trigger.domain.reports import Gap, Missed, Named, Report, digest_of
from services.trigger.sources.definition import SalesforceRule, SourceRule
from services.trigger.webhooks.body import MAX_ID, Node, touchpoint_of
from services.trigger.webhooks.tickets import REOPENED, RESOLVED
from shared.contracts.touchpoints import Subject, TouchpointAccount, TouchpointContact

DAYS = 1_000_000
"""A date as a number below this is days since 1970, as Avro writes it."""
GAP, OVERFLOW = "GAP_", "GAP_OVERFLOW"
KNOWN = frozenset({"CREATE", "UPDATE", "UNDELETE"})


@dataclass(frozen=True, slots=True)
class _Change:
    """One record's change."""

    fields: Node
    id: str
    created: bool
    rules: SalesforceRule


@dataclass(frozen=True, slots=True)
class _Told:
    type: str
    fields: dict[str, object]
    gap: Gap | None = None
    aka: tuple[str, ...] = ()


def read(body: Node, source: SourceRule) -> tuple[Report, ...]:
    """What a change event reports; nothing for other objects, and for deletions that are no merges.

    Raises:
        BadBodyError: It is no change event.
    """
    fields = body.at("payload") if "payload" in body.value else body
    header = fields.at("ChangeEventHeader")
    kind = header.at("changeType").need()
    reader = READERS.get(header.at("entityName").need())
    if kind == "DELETE" and header.at("entityName").text() in MERGERS:
        reader = MERGERS[header.at("entityName").text()]
    elif kind not in KNOWN:
        return ()
    if reader is None:
        return ()
    at = header.at("commitTimestamp").seconds(0.001)
    change = f"{header.at('transactionKey').need()}/{header.at('sequenceNumber').text() or 0}"
    reports = []
    for node in header.at("recordIds").items():
        record_id = node.need()
        rules = source.salesforce or SalesforceRule()
        told = reader(_Change(fields, record_id, kind == "CREATE", rules))
        if told is None or record_id.endswith("*"):
            continue
        touchpoint = touchpoint_of(fields, {"occurred_at": at, **told.fields})
        event_id, digest = f"{change}/{record_id}"[:MAX_ID], digest_of(fields.value)
        reports.append(
            Report(event_id, digest, source.route, event_id, told.type, touchpoint, told.gap, told.aka)
        )
    return tuple(reports)


def missed(body: Node, source: SourceRule) -> tuple[Missed, ...]:
    """Records of which Salesforce says that it could not tell a change; of objects that we read alone.

    Raises:
        BadBodyError: It is no change event.
    """
    fields = body.at("payload") if "payload" in body.value else body
    header = fields.at("ChangeEventHeader")
    kind, entity = header.at("changeType").need(), header.at("entityName").need()
    if not kind.startswith(GAP) or entity not in READERS:
        return ()
    at, overflow = header.at("commitTimestamp").seconds(0.001), kind == OVERFLOW
    ids = ["*"] if overflow else [node.need() for node in header.at("recordIds").items()]
    change = kind.removeprefix(GAP).lower()
    return tuple(Missed(source.route, entity, one, change, at) for one in ids)


def _case(change: _Change) -> _Told | None:
    status, closed = change.fields.at("Status").text(), change.fields.at("IsClosed").flag()
    subject = Subject(kind="ticket", id=change.id)
    by_case = Gap("salesforce", Named.TICKET, change.id)
    person, gap = _person(change, by_case, "requester")
    if closed or status in change.rules.closed_statuses:
        return _Told(RESOLVED, {"contact": person, "subject": subject, **_account(change)}, gap)
    if change.created:
        # Later changes name the case alone; this one says whose it is.
        aka = (by_case.name,) if gap != by_case else ()
        fields = {"contact": person, "subject": subject, **_account(change)}
        return _Told("support_ticket.opened", fields, gap, aka) if aka else None
    return _Told(REOPENED, {"contact": person, "subject": subject}, gap) if status else None


def _contract(change: _Change) -> _Told | None:
    end = change.fields.at("EndDate")
    if end.value is None:
        return None
    account = _account(change)
    fields = {"renewal_on": _day(end), "subject": Subject(kind="contract", id=change.id), **account}
    if account:
        return _Told("contract.renewal_date_set", fields)
    gap = Gap("salesforce", Named.CONTRACT, change.id)
    return _Told("contract.renewal_date_set", fields | {"contact": TouchpointContact(role="buyer")}, gap)


def _opportunity(change: _Change) -> _Told | None:
    if change.fields.at("StageName").text() not in change.rules.won_stages:
        return _renewal(change)
    account, subject = _account(change), Subject(kind="deal", id=change.id)
    gap = Gap("salesforce", Named.DEAL, change.id)
    person, missing = _person(change, gap, "buyer")
    if account and missing is gap:
        return _Told("deal.closed", {"subject": subject, **account})
    return _Told("deal.closed", {"subject": subject, "contact": person, **account}, missing)


def _renewal(change: _Change) -> _Told | None:
    """An opportunity about a renewal is closed on the day when the contract would end."""
    day = change.fields.at("CloseDate")
    if day.value is None or change.fields.at("Type").text() not in change.rules.renewal_types:
        return None
    account = _account(change)
    fields = {"renewal_on": _day(day), "subject": Subject(kind="contract", id=change.id), **account}
    if account:
        return _Told("contract.renewal_date_set", fields)
    person, gap = _person(change, Gap("salesforce", Named.DEAL, change.id), "buyer")
    return _Told("contract.renewal_date_set", fields | {"contact": person}, gap)


def _contact(change: _Change) -> _Told | None:
    fields = change.fields
    name = fields.at("Name")
    parts = (
        (name.at(part).text() for part in ("FirstName", "LastName")) if isinstance(name.value, dict) else ()
    )
    person = TouchpointContact(
        id=f"salesforce:{change.id}",
        email=fields.at("Email").text(),
        phone=fields.at("Phone").text(),
        name=" ".join(part for part in parts if part),
        job_function=fields.at("Title").text(),
    )
    return _Told("contact.updated", {"contact": person, **_account(change)})


def _merged(change: _Change) -> _Told | None:
    """A contact that was deleted because it became part of another one; other deletions are left alone."""
    master = change.fields.at("MasterRecordId").text(MAX_ID)
    if not master:
        return None
    people = [TouchpointContact(id=f"salesforce:{one}") for one in (master, change.id)]
    return _Told("contact.merged", {"contacts": people})


def _companies_merged(change: _Change) -> _Told | None:
    """An account that was deleted because it became part of another one; other deletions are left alone."""
    master = change.fields.at("MasterRecordId").text(MAX_ID)
    if not master:
        return None
    companies = [TouchpointAccount(id=f"salesforce:{one}") for one in (master, change.id)]
    return _Told("account.merged", {"accounts": companies})


def _company(change: _Change) -> _Told | None:
    fields = change.fields
    account = TouchpointAccount(
        id=f"salesforce:{change.id}",
        name=fields.at("Name").text(),
        industry=fields.at("Industry").text(),
        size=fields.at("NumberOfEmployees").text(),
    )
    return _Told("account.updated", {"account": account})


READERS: Mapping[str, Callable[[_Change], _Told | None]] = {
    "Case": _case,
    "Contract": _contract,
    "Opportunity": _opportunity,
    "Contact": _contact,
    "Account": _company,
}
MERGERS: Mapping[str, Callable[[_Change], _Told | None]] = {"Contact": _merged, "Account": _companies_merged}


def _person(change: _Change, otherwise: Gap, role: str) -> tuple[TouchpointContact, Gap]:
    """The contact when its id is among the changed fields; else the record alone is known."""
    contact = change.fields.at("ContactId").text(MAX_ID)
    if not contact:
        return TouchpointContact(role=role), otherwise
    own = f"salesforce:{contact}"
    return TouchpointContact(id=own, role=role), Gap("salesforce", Named.CONTACT, own)


def _account(change: _Change) -> dict[str, object]:
    account = change.fields.at("AccountId").text(MAX_ID)
    return {"account": TouchpointAccount(id=f"salesforce:{account}")} if account else {}


def _day(node: Node) -> date:
    if isinstance(node.value, int) and not isinstance(node.value, bool) and node.value < DAYS:
        return date(1970, 1, 1) + timedelta(days=node.value)
    return node.day()
