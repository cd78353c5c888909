"""Domain values as rows and back.

Many rows travel as one JSON parameter, which Postgres unfolds into a table.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any

import msgspec
import orjson

from services.trigger.domain.model import (
    Account,
    Ask,
    AskState,
    Contact,
    Decision,
    Moment,
    Plan,
    PlanState,
    Reach,
)
from shared.contracts.directory import Consent
from shared.contracts.model import Family, Persona, Tier
from shared.contracts.reasons import Outcome, Reason

Row = Mapping[str, Any]
_encode = msgspec.json.Encoder().encode


def dump(values: Iterable[object]) -> str:
    """Values or mappings as a JSON array for `jsonb_populate_recordset`."""
    return _encode(list(values)).decode()


def contact_of(row: Row) -> Contact:
    """A row of contacts."""
    fields = dict(row)
    fields["persona"] = Persona(row["persona"]) if row["persona"] else None
    fields["consent"] = Consent(row["consent"])
    fields["reach"] = Reach(row["reach"])
    fields["domains"] = tuple(row["domains"])
    fields["opted_out_of"] = tuple(row["opted_out_of"])
    renewed = orjson.loads(row["renewed"]) if row["renewed"] != "[]" else ()
    fields["renewed"] = tuple((scope, datetime.fromisoformat(at)) for scope, at in renewed)
    return Contact(**fields)


def account_of(row: Row) -> Account:
    """A row of accounts."""
    return Account(**{**row, "tier": Tier(row["tier"]) if row["tier"] else None})


def plan_of(row: Row) -> Plan:
    """A row of plans, whose moment comes as text."""
    moment = orjson.loads(row["moment"])
    moment["at"] = datetime.fromisoformat(moment["at"])
    moment["renewal_on"] = date.fromisoformat(moment["renewal_on"]) if moment["renewal_on"] else None
    fields = {**row, "moment": Moment(**moment), "state": PlanState(row["state"])}
    fields |= {"reason": _reason(row["reason"]), "waits_for": _reason(row["waits_for"])}
    return Plan(**{**fields, "shadow": bool(row["shadow"])})


def ask_of(row: Row) -> Ask:
    """A row of asks."""
    fields = {**row, "family": Family(row["family"]), "state": AskState(row["state"])}
    return Ask(**{**fields, "waits_for": _reason(row["waits_for"])})


def decision_of(row: Row) -> Decision:
    """A row of decisions without its place in the ledger."""
    return Decision(
        outcome=Outcome(row["outcome"]),
        reason=_reason(row["reason"]),
        programme=row["programme"],
        version=row["version"],
        plan_id=row["plan_id"],
        contact_id=row["contact_id"],
        account_id=row["account_id"],
        step=row["step"],
        until=row["until"],
        inputs=orjson.loads(row["inputs"]),
        shadow=row["shadow"],
    )


def _reason(text: str | None) -> Reason | None:
    return Reason(text) if text else None
