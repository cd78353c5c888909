"""Whatever programs read of scores need not be sent twice: every route that answers JSON has an ETag."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import httpx

from services.scoring.api import digests, filed
from shared.db.database import Database
from shared.runtime.clock import FixedClock
from shared.security.access import Scope
from shared.web.routing import join
from tests.support.customers import account_id, driven, town
from tests.support.score_pages import access_to, application, quarter
from tests.support.scoring import Scoring

JSON = "application/json"
ASKED = {"programme": "renewal-nps", "metric": "nps"}
"""What routes that need something are asked with."""


def _example(path: str, operation: dict[str, Any], made: dict[str, str]) -> tuple[str, dict[str, str]]:
    """An address of a route that there is, with the parameters that it needs."""
    names = {"account_id": str(account_id(1)), "badge": made["id"], "key": made["key"]}
    for name, value in names.items():
        path = path.replace(f"{{{name}}}", value)
    needed = [
        one["name"] for one in operation.get("parameters", ()) if one["in"] == "query" and one["required"]
    ]
    return path, {name: ASKED[name] for name in needed}


async def test_every_get_that_answers_json_has_an_etag_and_says_so(
    db: Database, clock: FixedClock, scoring: Scoring
) -> None:
    await quarter(scoring, clock.now())
    await scoring.take(*town(clock.now()), *driven(clock.now() - timedelta(days=1)))
    access = access_to(db, clock)
    app = application(db, clock, access)
    join(app, digests.routes(db, clock))
    join(app, filed.routes(db, clock))
    _, key = await access.create_key("bi", frozenset(Scope), None)
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url="http://test",
        headers={"Authorization": f"Bearer {key}"},
    ) as api:  # fmt: skip
        wanted = ASKED | {"label": "Loved by customers", "period": "90", "least": 10}
        published = await api.post("/v1/scores/badges", json=wanted, headers={"idempotency-key": "one"})
        assert published.status_code == 201, published.text
        seen = []
        for path, operations in app.openapi()["paths"].items():
            answers = operations.get("get", {}).get("responses", {})
            if not path.startswith(("/v1/scores", "/badges")) or not answers:
                continue
            json = JSON in answers["200"].get("content", {})
            assert ("304" in answers) == json, (
                f"{path}: files and streams are sent each time, all else is not"
            )
            if not json:
                continue
            address, params = _example(path, operations["get"], published.json())
            first = await api.get(address, params=params)
            assert first.status_code == 200, f"{path}: {first.text}"
            known = {"If-None-Match": first.headers["ETag"]}
            again = await api.get(address, params=params, headers=known)
            assert (again.status_code, again.content) == (304, b""), path
            seen.append(path)
    assert len(seen) > 20
