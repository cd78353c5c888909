"""What happens in 90 days: the touchpoints that backends and helpdesk will tell, in order of time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from demo.chance import Chance
from demo.world import Account, Contact

DAYS = 90
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Happening:
    """Something that a system of the company tells. `by` is crm, shop, helpdesk or broken."""

    at: datetime
    by: str
    id: str
    type: str
    data: dict[str, Any] = field(default_factory=dict)
    key: str = ""


def story(chance: Chance, accounts: tuple[Account, ...], start: datetime) -> list[Happening]:
    """Everything, sorted by time."""
    told = [happening for account in accounts for happening in _of_account(chance, account, start)]
    told += _mishaps(accounts, start)
    return sorted(told, key=lambda happening: (happening.at, happening.id))


def _of_account(chance: Chance, account: Account, start: datetime) -> Iterator[Happening]:
    yield _crm(start, account, "account.updated", {}, f"{account.id}-known")
    for contact in account.contacts:
        yield _crm(start, account, "contact.updated", {"contact": _person(contact)}, f"{contact.id}-known")
    yield from _onboarding(chance, account, start)
    yield from _deliveries(chance, account, start)
    yield from _support(chance, account, start)
    yield from _renewal(chance, account, start)


def _onboarding(chance: Chance, account: Account, start: datetime) -> Iterator[Happening]:
    """Every account signs up in the first two months; the one who did it is asked two weeks later."""
    at = start + _office(chance, 60, account.id, "signed up")
    who = account.contacts[1 % len(account.contacts)]
    yield _crm(
        at,
        account,
        "customer.signed_up",
        {"contact": _person(who), "product": "Nordlicht Cloud"},
        f"{account.id}-signup",
    )


def _deliveries(chance: Chance, account: Account, start: datetime) -> Iterator[Happening]:
    """The shop tells each delivery; now and then twice, as such systems do."""
    if account.industry not in ("logistics", "manufacturing"):
        return
    for number in range(7):
        at = start + number * 12 * _DAY + _office(chance, 11, account.id, "delivery", number)
        who = chance.pick(account.contacts, account.id, "receiver", number)
        order = f"{account.id}-order-{number}"
        data = {
            **_about(account, at), "contact": {**_person(who), "role": "receiver"},
            "subject": {"kind": "order", "id": order},
            "context": {"carrier": chance.pick(("DHL", "PostNord", "UPS"), order, "carrier")},
        }  # fmt: skip
        yield Happening(at, "shop", order, "order.delivered", data, account.id)
        if chance.happens(0.15, order, "told twice"):
            yield Happening(at + timedelta(hours=1), "shop", order, "order.delivered", data, account.id)


def _support(chance: Chance, account: Account, start: datetime) -> Iterator[Happening]:
    """The helpdesk calls the webhook when a ticket is solved; one in ten is opened again and solved again."""
    for number in range(2 + int(5 * chance.share(account.id, "trouble"))):
        at = start + 2 * _DAY + _office(chance, 84, account.id, "ticket", number)
        who = chance.pick(account.contacts, account.id, "requester", number)
        ticket = f"{int(account.id[-3:]) * 100 + number}"
        data = {"account": account, "contact": who, "ticket": ticket}
        yield Happening(at, "helpdesk", f"{ticket}-solved", "solved", data)
        if chance.happens(0.1, ticket, "reopened"):
            yield Happening(at + timedelta(hours=5), "helpdesk", f"{ticket}-open", "open", data)
            yield Happening(at + timedelta(hours=30), "helpdesk", f"{ticket}-solved-2", "solved", data)


def _renewal(chance: Chance, account: Account, start: datetime) -> Iterator[Happening]:
    """Every third account renews within sight; one of four moves the date."""
    if int(account.id[-3:]) % 3:
        return
    day = (start + (70 + int(70 * chance.share(account.id, "renewal"))) * _DAY).date()
    contract = {"subject": {"kind": "contract", "id": f"{account.id}-contract"}}
    holder = {"contact": {**_person(account.contacts[0]), "role": "contract_holder"}}
    at = start + timedelta(hours=2)
    set_ = {**contract, **holder, "renewal_on": day.isoformat()}
    yield _crm(at, account, "contract.renewal_date_set", set_, f"{account.id}-renewal")
    if chance.happens(0.25, account.id, "moved"):
        moved = set_ | {"renewal_on": (day + 10 * _DAY).isoformat()}
        yield _crm(at + 3 * _DAY, account, "contract.renewal_date_set", moved, f"{account.id}-renewal-moved")


def _mishaps(accounts: tuple[Account, ...], start: datetime) -> list[Happening]:
    """A backend with a defect, a webhook with a wrong signature, somebody who wants to be forgotten."""
    gone = accounts[7].contacts[2]
    return [
        Happening(
            start + 5 * _DAY, "broken", "malformed-1", "order.delivered", {"contact": {"id": "nobody"}}, "x"
        ),
        Happening(start + 9 * _DAY, "forger", "forged-1", "solved"),
        _crm(
            start + 40 * _DAY,
            accounts[7],
            "contact.deleted",
            {"contact": {"id": gone.id}},
            f"{gone.id}-forget",
        ),
    ]


def _crm(at: datetime, account: Account, type_: str, data: dict[str, Any], id_: str) -> Happening:
    return Happening(at, "crm", id_, type_, {**_about(account, at), **data}, account.id)


def _about(account: Account, at: datetime) -> dict[str, Any]:
    company = {"id": account.id, "name": account.name, "tier": account.tier, "industry": account.industry}
    company |= {"owner": account.owner, "region": account.region}
    return {"occurred_at": at.isoformat(), "account": company}


def _person(contact: Contact) -> dict[str, Any]:
    fields = ("id", "name", "email", "phone", "locale", "zone", "persona", "job_function")
    return {name: getattr(contact, name) for name in fields}


def _office(chance: Chance, days: int, *name: object) -> timedelta:
    """A moment within some days, in office hours by UTC."""
    day = int(chance.share(*name, "day") * days)
    return day * _DAY + timedelta(minutes=int(60 * 9 * chance.share(*name, "minute")))
