"""One answer in words for programs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from services.collector.domain.permissions import allowed
from services.collector.handlers.answering import response_id
from services.collector.store.listing import ListedAnswer
from shared.contracts.forms import Form
from shared.contracts.responses import Score


def tell(one: ListedAnswer, texts: Mapping[str, str], form: Form) -> dict[str, Any]:
    """One answer as lists, files and webhooks tell it; of somebody who was erased without the person."""
    known = one.snapshot
    primary = next(score for score in one.scores if score.question == form.primary and not score.item)
    return {
        "response_id": str(response_id(one.survey_id)),
        "survey_id": str(one.survey_id),
        "event": one.event,
        "state": one.state,
        "changed_at": one.changed_at.isoformat(),
        "first_at": one.first_at.isoformat(),
        "received_at": one.received_at.isoformat(),
        "version": one.version,
        "versions": one.versions,
        "complete": one.complete,
        "programme": known.programme,
        "family": known.family.value,
        "touchpoint": known.touchpoint,
        "contact_id": None if one.erased else known.contact_id,
        "account_id": known.account_id,
        "account_name": known.account_name,
        "tier": known.tier.value if known.tier else None,
        "persona": known.persona.value if known.persona else None,
        "industry": known.industry,
        "region": known.region,
        "product": known.product,
        "locale": known.locale,
        "channel": known.channel.value,
        "primary": {"question": form.primary, "type": primary.type.value, "value": primary.value},
        "mood": one.mood.value,
        "scores": tell_scores(one.scores),
        "choices": {question: list(chosen) for question, chosen in one.choices.items()},
        "texts": dict(texts),
        "permissions": [each.value for each in allowed(form, one.choices)],
        "incentive": one.incentive,
        "verdict": one.verdict,
        "evidence": list(one.evidence),
        "erased": one.erased,
    }


def tell_scores(scores: Sequence[Score]) -> list[dict[str, Any]]:
    """Scores, each with its question, type and, of a matrix, item."""
    return [
        {"question": one.question, "item": one.item, "type": one.type.value, "value": one.value}
        for one in scores
    ]
