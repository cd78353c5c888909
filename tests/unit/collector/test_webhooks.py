"""What a call of an endpoint is signed with, and what follows it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from standardwebhooks.webhooks import Webhook

from services.collector.domain.webhooks import (
    WAITS,
    Answer,
    Delivered,
    GiveUp,
    Next,
    TryAt,
    after,
    message_id,
    secret,
)
from shared.security.signatures import WebhookSecret, sign_standard

T = datetime(2026, 3, 3, 10, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("answer", "attempts", "following"),
    [
        pytest.param(Answer(200), 1, Delivered(), id="taken"),
        pytest.param(Answer(299), 1, Delivered(), id="any 2xx"),
        pytest.param(Answer(301), 1, TryAt(T + timedelta(seconds=5)), id="a redirect is not followed"),
        pytest.param(Answer(404), 1, TryAt(T + timedelta(seconds=5)), id="it may be deployed anew"),
        pytest.param(Answer(0, "time-out"), 2, TryAt(T + timedelta(minutes=5)), id="no answer"),
        pytest.param(Answer(500), 9, TryAt(T + timedelta(hours=24)), id="the last but one"),
        pytest.param(Answer(500), 10, GiveUp(), id="the last"),
        pytest.param(Answer(410), 1, GiveUp(gone=True), id="it wants nothing any more"),
        pytest.param(
            Answer(429, retry_after=timedelta(seconds=60)),
            1,
            TryAt(T + timedelta(seconds=60)),
            id="asked to wait",
        ),
        pytest.param(
            Answer(503, retry_after=timedelta(days=9)),
            1,
            TryAt(T + timedelta(hours=24)),
            id="but not for ever",
        ),
        pytest.param(
            Answer(503, retry_after=timedelta(seconds=1)),
            2,
            TryAt(T + timedelta(minutes=5)),
            id="nor in haste",
        ),
    ],
)
def test_what_follows_a_call(answer: Answer, attempts: int, following: Next) -> None:
    assert after(answer, attempts, T) == following


def test_an_endpoint_that_is_away_is_called_for_three_days() -> None:
    assert timedelta(days=3) <= sum(WAITS, timedelta(0)) < timedelta(days=4)


def test_the_official_library_accepts_what_we_sign_with_the_new_secret_and_the_old() -> None:
    body = b'{"type":"response.submitted"}'
    now = datetime.now(UTC)  # noqa: DTZ005, TID251, RUF100 - the library looks at the real clock
    old, new = secret("generation one"), secret("generation two")
    keys = [WebhookSecret.standard(one) for one in (new, old)]
    signed = sign_standard(message_id(UUID(int=7)), now, body, *keys)
    for one in (old, new):
        assert Webhook(one).verify(body, signed) == {"type": "response.submitted"}
    with pytest.raises(Exception, match="signature"):
        Webhook(secret("another")).verify(body, signed)
