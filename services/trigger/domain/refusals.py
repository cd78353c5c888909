"""Who may not be asked, whatever is due: by their own word, for want of a channel, or while a hold lasts."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from services.trigger.domain import consent
from services.trigger.domain.model import Account, Contact, Hold, Reach, owner_address
from services.trigger.domain.programme import Edition
from shared.contracts.directory import Consent
from shared.contracts.model import Channel
from shared.contracts.reasons import Reason


def refused_person(contact: Contact | None, edition: Edition) -> tuple[Reason, str] | None:
    """Why a person may not be asked at all, whatever the moment; None = may be."""
    if contact is None or contact.erased_at:
        return Reason.ERASED, "erased"
    programme = edition.programme
    if scope := consent.refuses(contact, edition.key, programme.family):
        return Reason.OPTED_OUT, scope
    send = programme.send
    if contact.opted_out_of and not send.to_owner and not consent.wanted_channels(contact, send.channels):
        return Reason.OPTED_OUT, "channel"
    if programme.consent == "opt_in" and contact.consent is not Consent.GIVEN:
        return Reason.NO_CONSENT, "opt_in"
    return None


def no_channel(
    contact: Contact, account: Account | None, edition: Edition, own_domains: frozenset[str]
) -> Reason | None:
    """Why no channel of the programme reaches somebody; None = one does.

    What the account's owner passes on needs the owner's address alone.
    """
    send = edition.programme.send
    if send.to_owner:
        return None if account and owner_address(account) else Reason.NO_CHANNEL
    if not own_domains.isdisjoint(contact.domains):
        return Reason.OWN_COMPANY
    # Telephone, product and backend are dispatch's to know: it passes on what one channel cannot deliver.
    if contact.opted_out_of or not send.mails_only:
        wanted = consent.wanted_channels(contact, send.channels)
        if any(channel is not Channel.EMAIL for channel in wanted):
            return None
        if not wanted:
            return Reason.NO_CHANNEL
    if contact.reach is not Reach.OK:
        return Reason.INVALID_ADDRESS if contact.reach is Reach.INVALID else Reason.NO_CHANNEL
    return Reason.BOUNCED if contact.bounced_at else None


def holding(
    plan_contact: UUID | None, account: UUID | None, kinds: Sequence[str], holds: Sequence[Hold]
) -> Hold | None:
    """The hold that makes somebody wait: their own, or one of their whole account."""
    for hold in holds:
        mine = hold.contact_id is not None and hold.contact_id == plan_contact
        ours = hold.contact_id is None and hold.account_id is not None and hold.account_id == account
        if hold.kind in kinds and (mine or ours):
            return hold
    return None
