"""Who answers by a link without an invitation, and what may be said of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from email_validator import EmailNotValidError, validate_email

from shared.contracts.directory import AccountChanged
from shared.contracts.model import Persona, Snapshot
from shared.contracts.surveys import CloseTheLoop

LONGEST_ADDRESS = 320


@dataclass(frozen=True, slots=True)
class SharedLink:
    """A link that anybody may answer by, until it closes or is withdrawn."""

    id: UUID
    snapshot: Snapshot
    questionnaire: str
    slots: str
    loop: CloseTheLoop
    closes_at: datetime
    open_for: timedelta
    withdrawn: bool

    def takes(self, now: datetime) -> bool:
        """Whether it can be answered by now."""
        return not self.withdrawn and now < self.closes_at


@dataclass(frozen=True, slots=True)
class Somebody:
    """Whom the directory knows, as far as it is told here; `person` is sealed."""

    contact_id: UUID
    person: str
    persona: Persona | None = None
    job_function: str = ""
    account: AccountChanged | None = None


def address_of(text: str) -> str:
    """An e-mail address as it was typed, tidied.

    Raises:
        ValueError: It is none.
    """
    if len(text) > LONGEST_ADDRESS:
        raise ValueError("too long")
    try:
        return validate_email(text.strip(), check_deliverability=False).normalized
    except EmailNotValidError as error:
        raise ValueError("no e-mail address") from error


def snapshot_of(link: SharedLink, contact_id: UUID, somebody: Somebody | None, locale: str) -> Snapshot:
    """What is known of an answer: the link's own words, and of the person what the directory has.

    The directory knows better than the link to which company somebody belongs.
    """
    changes: dict[str, object] = {"contact_id": str(contact_id), "locale": locale or link.snapshot.locale}
    if somebody:
        changes |= {"persona": somebody.persona, "job_function": somebody.job_function}
    if somebody and somebody.account:
        changes |= facts_of(somebody.account)
    return link.snapshot.model_copy(update=changes)


def facts_of(account: AccountChanged) -> dict[str, object]:
    """What a snapshot says of a company."""
    return {
        "account_id": account.account_id, "account_name": account.name, "tier": account.tier,
        "industry": account.industry, "size": account.size, "owner": account.owner, "region": account.region,
    }  # fmt: skip


def loop_of(link: SharedLink, *, identified: bool) -> CloseTheLoop:
    """What follows an answer: no ticket where neither person nor company is known; nobody could close it."""
    if identified or link.snapshot.account_id:
        return link.loop
    return link.loop.model_copy(update={"ticket": False})


def closes_at(link: SharedLink, now: datetime) -> datetime:
    """Until when an answer begun now may be changed."""
    return min(now + link.open_for, link.closes_at)
