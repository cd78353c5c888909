"""The service as its composition root builds it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from pydantic import SecretStr, ValidationError

from services.alerts.app import build
from services.alerts.settings import Settings, TeamRooms
from shared.bus.memory import MemoryBus
from shared.runtime.service import Platform
from shared.security.access import Access
from tests.integration.alerts.conftest import Office
from tests.support.alerts import T0
from tests.support.assembled import platform


def given(office: Office) -> Platform:
    ready = platform("alerts")
    return Platform(
        settings=ready.settings,
        db=office.db,
        bus=MemoryBus(),
        clock=office.clock,
        machine=office.machine,
        sealer=office.desk.sealer,
        tokens=ready.tokens,
        access=Access(office.db, office.clock, office.machine, secure=False),
    )


async def test_each_channel_has_a_loop_of_its_own_and_failures_leave_work_to_do(office: Office) -> None:
    settings = Settings(
        smtp_host="127.0.0.1", smtp_port=1, slack_webhook_url=SecretStr("http://127.0.0.1:1/hook")
    )
    service = await build(settings, given(office))
    loops = {loop.name: loop for loop in service.loops}
    rooms = {"notices.email", "notices.slack"}
    mails = {"gaps", "gap_mails", "finding_mails", "reports", "report_mails"}
    counted = {"effects", "effects_so_far", "case_weeks", "gauges"}
    assert set(loops) == rooms | mails | counted | {"clocks", "pages", "orphans", "next_ways"}
    await office.hears(await office.says.answered("r1", 2, T0))
    assert [await loops[name].run() for name in loops] == [0, 0, 2, 1, *[0] * 11]
    assert await office.rows("select distinct state, attempts from notices") == [("pending", 1)]


async def test_without_a_webhook_no_room_is_told(office: Office) -> None:
    service = await build(Settings(), given(office))
    assert "notices.slack" not in {loop.name for loop in service.loops}


async def test_a_webhook_that_is_not_encrypted_stops_the_start(office: Office) -> None:
    with pytest.raises(ValueError, match="https"):
        await build(Settings(slack_webhook_url=SecretStr("http://hooks.chat.test/x")), given(office))


async def test_each_partner_whose_settings_are_there_is_told(office: Office) -> None:
    settings = Settings(
        slack_webhook_url=SecretStr("https://hooks.slack.test/x"),
        teams_webhook_url=SecretStr("https://workflows.test/x"),
        pagerduty_routing_key=SecretStr("key"),
        webhook_url=SecretStr("https://ours.test/x"),
        webhook_secret=SecretStr("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"),
    )
    service = await build(settings, given(office))
    told = {loop.name.removeprefix("notices.") for loop in service.loops if loop.name.startswith("notices.")}
    assert told == {"email", "slack", "teams", "pagerduty", "webhook"}


async def test_a_team_may_have_rooms_of_its_own(office: Office, tmp_path: Path) -> None:
    roster = tmp_path / "alerts.yaml"
    roster.write_text("teams: {emea: {name: EMEA}}")
    settings = Settings(
        roster_file=roster,
        slack_webhook_url=SecretStr("https://hooks.slack.test/x"),
        rooms={"emea": TeamRooms(slack=SecretStr("https://hooks.slack.test/y"), pagerduty=SecretStr("key"))},
    )
    service = await build(settings, given(office))
    told = {loop.name.removeprefix("notices.") for loop in service.loops if loop.name.startswith("notices.")}
    assert told == {"email", "slack", "slack:emea", "pagerduty:emea"}
    with pytest.raises(ValueError, match="apac: there is no such team"):
        await build(settings.model_copy(update={"rooms": {"apac": TeamRooms()}}), given(office))


def test_rooms_are_written_as_json_or_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AFTERWORD_ALERTS_ROOMS", '{"emea": {"slack": "https://hooks.slack.test/y"}}')
    monkeypatch.setenv("AFTERWORD_ALERTS_ROOMS__EMEA__PAGERDUTY", "key")
    rooms = Settings().rooms["emea"]
    assert (rooms.slack.get_secret_value(), rooms.pagerduty.get_secret_value()) == (
        "https://hooks.slack.test/y", "key"
    )  # fmt: skip
    monkeypatch.setenv("AFTERWORD_ALERTS_ROOMS", '{"emea": {"irc": "x"}}')
    with pytest.raises(ValidationError):
        Settings()


async def test_a_webhook_without_a_secret_stops_the_start(office: Office) -> None:
    with pytest.raises(ValueError, match="webhook secret"):
        await build(Settings(webhook_url=SecretStr("https://ours.test/x")), given(office))


@pytest.mark.requirement("R76")
def test_causes_and_leadership_are_configured(monkeypatch: pytest.MonkeyPatch) -> None:
    causes = [{"key": "late_invoice", "label": "Invoice came late"}]
    monkeypatch.setenv("AFTERWORD_ALERTS_CAUSES", json.dumps(causes))
    monkeypatch.setenv("AFTERWORD_ALERTS_LEADERSHIP", '["ceo@afterword.test"]')
    read = Settings()
    assert [(cause.key, cause.needs) for cause in read.causes] == [("late_invoice", "contact")]
    assert read.leadership == ("ceo@afterword.test",)
    monkeypatch.setenv("AFTERWORD_ALERTS_CAUSES", '[{"key": "Bad Key", "label": "x"}]')
    with pytest.raises(ValidationError):
        Settings()
