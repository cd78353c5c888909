"""The closed list of reasons why somebody was not asked, asked later, or no longer asked."""

from __future__ import annotations

from enum import StrEnum


class Outcome(StrEnum):
    """What a decision came to. The books balance over these (`docs/events.md`)."""

    PLANNED = "planned"
    REQUESTED = "requested"
    DEFERRED = "deferred"
    SUPPRESSED = "suppressed"
    CANCELLED = "cancelled"
    NOT_MATCHED = "not_matched"
    SHADOW = "shadow"


class Reason(StrEnum):
    """Why; the value is the label of metrics and never free text."""

    NOT_MATCHED = "not_matched"
    FILTERED = "filtered"
    NOT_IN_AUDIENCE = "not_in_audience"
    SAMPLED_OUT = "sampled_out"
    UNKNOWN_CONTACT = "unknown_contact"
    NO_CHANNEL = "no_channel"
    INVALID_ADDRESS = "invalid_address"
    OWN_COMPANY = "own_company"
    OPTED_OUT = "opted_out"
    NO_CONSENT = "no_consent"
    ERASED = "erased"
    BOUNCED = "bounced"
    HELD = "held"
    ACCOUNT_BUDGET = "account_budget"
    QUARANTINED = "quarantined"
    OUTRANKED = "outranked"
    PLACE_KEPT = "place_kept"
    SEND_WINDOW = "send_window"
    EXPIRED = "expired"
    DUPLICATE = "duplicate"
    SUPERSEDED = "superseded"
    MERGED = "merged"
    CANCELLED = "cancelled"
    ANSWERED = "answered"
    PAUSED = "paused"
    SHADOW = "shadow"
    UNSENDABLE = "unsendable"
    PROGRAMME_ARCHIVED = "programme_archived"
    REPLANNED = "replanned"
    BEST_MOMENT = "best_moment"
