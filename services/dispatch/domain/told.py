"""A survey as it is told to a system of the customer's own, which asks the person in its own way."""

from __future__ import annotations

import json
from datetime import datetime

from services.dispatch.domain.letter import Letter
from services.dispatch.domain.model import Claimed
from shared.contracts.model import Snapshot

ASK_TYPE = "survey.ask"


def survey_told(letter: Letter, claimed: Claimed, snapshot: Snapshot, now: datetime) -> str:
    """The body of a webhook by Standard Webhooks: type, time and data; no name and no address."""
    row = letter.row
    data = {
        "delivery_id": str(claimed.delivery_id),
        "survey_id": str(claimed.survey_id),
        "step": claimed.step,
        "contact_id": str(claimed.contact_id),
        "account_id": snapshot.account_id,
        "programme": claimed.programme,
        "touchpoint": snapshot.touchpoint,
        "subject_kind": snapshot.subject_kind,
        "subject_id": snapshot.subject_id,
        "locale": snapshot.locale,
        "subject": letter.subject,
        "question": row.question if row else "",
        "incentive": letter.incentive,
        "scores": [{"value": value, "url": url} for value, url in row.scores] if row else [],
        "url": letter.links.survey,
        "unsubscribe_url": letter.links.unsubscribe,
        "closes_at": claimed.closes_at.isoformat(),
    }
    told = {"type": ASK_TYPE, "timestamp": now.isoformat(), "data": data}
    return json.dumps(told, ensure_ascii=False, separators=(",", ":"))
