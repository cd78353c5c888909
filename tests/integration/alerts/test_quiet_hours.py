"""Quiet hours on a real database: a normal case waits for the morning, an urgent or late one does not."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from services.alerts.domain.teams import read_roster
from services.alerts.worker import release_pages
from shared.runtime.ids import derive
from tests.integration.alerts.conftest import Office
from tests.support.alerts import HOUR, snapshot

NIGHT = datetime(2026, 3, 3, 23, 0, tzinfo=UTC)


def quiet(office: Office) -> None:
    roster = read_roster("quiet_hours: {}").value
    assert roster is not None
    office.desk = replace(office.desk, roster=roster)
    office.clock.set(NIGHT)


async def told(office: Office) -> list[tuple[str, str]]:
    return await office.rows("select occasion, channel from notices order by created_at, occasion, channel")


async def normal(office: Office, name: str, score: int = 5) -> None:
    small = snapshot(name, name, tier=None, owner="rita@afterword.test")
    said = await office.says.answered(name, score, NIGHT, account=name, contact=name, snapshot=small)
    await office.hears(said)


@pytest.mark.requirement("R72")
async def test_a_case_of_normal_priority_waits_for_the_morning_and_one_that_is_late_does_not(
    office: Office,
) -> None:
    quiet(office)
    await normal(office, "calm")
    assert await told(office) == [("opened", "slack")], "the room wakes nobody"
    assert await office.rows("select quiet, due_at from held_notices") == [(True, NIGHT + 8 * HOUR)]
    assert await office.rows("select data ->> 'until' from timeline where kind = 'waits'") == [
        ((NIGHT + 8 * HOUR).isoformat(),)
    ]
    office.clock.set(NIGHT + 8 * HOUR - timedelta(minutes=1))
    await release_pages(office.desk, office.db)
    assert ("opened", "email") not in await told(office)
    office.clock.set(NIGHT + 8 * HOUR)
    await release_pages(office.desk, office.db)
    assert ("opened", "email") in await told(office)
    # Nobody took it: at 23:00 of the next day it is late, at night as it is.
    office.clock.set(NIGHT + 24 * HOUR)
    await office.rings()
    await release_pages(office.desk, office.db)
    assert {channel for occasion, channel in await told(office) if occasion == "late"} == {"email", "slack"}


@pytest.mark.requirement("R72")
async def test_what_waits_holds_nothing_urgent_back(office: Office) -> None:
    quiet(office)
    await normal(office, "calm")
    await normal(office, "dire", score=0)
    assert sorted(await told(office)) == [("opened", "email"), ("opened", "slack")]
    await release_pages(office.desk, office.db)
    waiting = await office.rows(
        "select v.contact_id from held_notices h join voices v using (ticket_id) "
        "where h.quiet and h.state = 'held'"
    )
    assert waiting == [(derive("contact", "calm"),)]
