"""Puts the alerts service together."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from uuid import UUID

from fastapi import APIRouter
from pydantic import SecretStr

from services.alerts import api, pages, webhooks, worker
from services.alerts.channels import slack, teams
from services.alerts.channels.email import EmailChannel
from services.alerts.channels.http import Poster, client
from services.alerts.channels.pagerduty import ENQUEUE, PagerDutyChannel
from services.alerts.channels.port import Channel, Delivery
from services.alerts.channels.sms import Account, SmsChannel, path
from services.alerts.channels.webhook import WebhookChannel
from services.alerts.connectors.partners import Accesses, JiraProject, helpdesks_of
from services.alerts.domain.alarm import Text
from services.alerts.domain.causes import DEFAULT_CAUSES, Cause
from services.alerts.domain.helpdesk import Helpdesk
from services.alerts.domain.pace import PACES, Pace
from services.alerts.domain.rooms import Rooms, kind_of, named, rooms_of
from services.alerts.domain.teams import Roster, read_roster
from services.alerts.domain.thanking import Policy, Thanks
from services.alerts.handlers import (
    asking,
    counting,
    directory,
    finding,
    following,
    leading,
    outside,
    passing,
    quoting,
    reporting,
    responses,
    thanking,
    warning,
)
from services.alerts.handlers.applying import Desk
from services.alerts.settings import Settings, TeamRooms
from shared.config.check import dotted
from shared.contracts.topics import Topic
from shared.runtime.clock import Clock, Machine
from shared.runtime.consumer import Subscription
from shared.runtime.loops import Loop
from shared.runtime.service import Platform, Service
from shared.security.partners import PartnerAccess
from shared.smtp import Server
from shared.web.routing import join
from shared.words.dictionary import compiled
from shared.words.file import dictionary_of

CLOCK_SECONDS = 0.25
NOTICE_SECONDS = 0.25
GAUGE_SECONDS = 15.0
ORPHAN_SECONDS = 15.0
GAP_SECONDS = 60.0
WEEK_SECONDS = 5.0
PASSING_SECONDS = 1.0
SYNC_SECONDS = 1.0
WAYS = ("email", "sms")
"""Channels that reach one person, in the order in which they are tried."""
FOLLOWERS = ("pagerduty", "webhook")
"""Partners that keep a state of their own and hear that a case was taken or has ended."""


async def build(settings: Settings, platform: Platform) -> Service:
    """The service, ready to be started."""
    channels = channels_of(settings, platform.machine)
    helpdesks = _helpdesks(settings, platform.machine)
    dictionary = compiled(dictionary_of(platform.settings.dictionary))
    roster = roster_of(settings.roster_file, dictionary.written.keys)
    _known_teams(settings.rooms, roster)
    rooms = rooms_of(tuple(channel.name for channel in channels if channel.name not in WAYS))
    known_rooms(rooms, roster)
    desk = Desk(
        sealer=platform.sealer,
        machine=platform.machine,
        rooms=rooms,
        ways=tuple(channel.name for channel in channels if channel.name in WAYS),
        paces=paces_of(settings, channels),
        tokens=platform.tokens,
        helpdesks=tuple(helpdesk.name for helpdesk in helpdesks),
        followers=FOLLOWERS,
        leadership=settings.leadership,
        roster=roster,
        dictionary=dictionary,
        group_within=timedelta(minutes=settings.group_minutes),
        page_every=timedelta(minutes=settings.page_minutes),
        large_account=settings.large_account,
        replies=Policy(settings.first_reply, Thanks(settings.thanks)),
        causes=tuple(Cause.model_validate(c.model_dump()) for c in settings.causes) or DEFAULT_CAUSES,
    )
    router = APIRouter()
    secrets = webhooks.secrets_of(settings.webhook_secrets())
    join(router, webhooks.router(platform.db, platform.machine, platform.settings.public_url, secrets))
    join(router, api.router(desk, platform.db, platform.clock))
    join(router, pages.router(desk, platform.db, platform.clock))
    return Service(
        name="alerts",
        router=router,
        subscriptions=(
            Subscription(
                topics=(
                    Topic.RESPONSES,
                    Topic.DIRECTORY,
                    Topic.DELIVERIES,
                    Topic.CONTEXT,
                    Topic.PERMISSIONS,
                    Topic.FINDINGS,
                ),
                routes=(
                    *directory.ROUTES,
                    responses.route(desk),
                    quoting.route(desk),
                    thanking.ROUTE,
                    *asking.ROUTES,
                    *((finding.route(desk),) if settings.findings else ()),
                ),
            ),
        ),
        loops=(
            *loops_of(desk, platform, channels, monthly_report=settings.monthly_report),
            *_syncing(desk, platform, helpdesks),
        ),
        republish=counting.republish,
    )


def loops_of(
    desk: Desk, platform: Platform, channels: tuple[Channel, ...], *, monthly_report: bool
) -> tuple[Loop, ...]:
    """The clocks, one loop for each channel so that a dead one delays no other, and the gauges."""
    db, public_url = platform.db, platform.settings.public_url

    def hand_over(channel: Channel) -> Loop:
        async def run() -> int:
            return await worker.hand_over(desk, db, channel, public_url)

        return Loop(f"notices.{channel.name}", NOTICE_SECONDS, run, due=False)

    async def ring() -> int:
        return await worker.ring_clocks(desk, db)

    async def page() -> int:
        return await worker.release_pages(desk, db)

    async def adopt() -> int:
        return await worker.adopt_orphans(desk, db) + await following.adopt(desk, db)

    async def pass_on() -> int:
        return await passing.pass_on(desk, db)

    async def count() -> int:
        return await worker.refresh_gauges(db)

    return (
        Loop("clocks", CLOCK_SECONDS, ring),
        Loop("pages", CLOCK_SECONDS, page),
        *map(hand_over, channels),
        Loop("orphans", ORPHAN_SECONDS, adopt, due=False, woken=False),
        *_warning(desk, platform, channels[0]),
        _finding(desk, platform, channels[0]),
        *(_reporting(desk, platform, channels[0]) if monthly_report else ()),
        Loop("next_ways", PASSING_SECONDS, pass_on, due=False, woken=False),
        Loop("effects", GAP_SECONDS, partial(counting.count_effects, db), woken=False),
        Loop("effects_so_far", GAP_SECONDS, partial(counting.count_so_far, db), due=False, woken=False),
        Loop("case_weeks", WEEK_SECONDS, partial(reporting.add_up, db), due=False, woken=False),
        Loop("gauges", GAUGE_SECONDS, count, due=False, woken=False),
    )


def _warning(desk: Desk, platform: Platform, mail: Channel) -> Iterator[Loop]:
    """Gaps of rotas are noticed, and told by mail."""
    db, public_url = platform.db, platform.settings.public_url
    send = partial(warning.send_warnings, desk, db, partial(_mail, mail, platform.clock), public_url)
    yield Loop("gaps", GAP_SECONDS, partial(warning.notice_gaps, desk, db), woken=False)
    yield Loop("gap_mails", PASSING_SECONDS, send, due=False, woken=False)


def _finding(desk: Desk, platform: Platform, mail: Channel) -> Loop:
    """What scoring found is told by mail."""
    public_url = platform.settings.public_url
    send = partial(finding.send_findings, desk, platform.db, partial(_mail, mail, platform.clock), public_url)
    return Loop("finding_mails", PASSING_SECONDS, send, due=False, woken=False)


def _reporting(desk: Desk, platform: Platform, mail: Channel) -> Iterator[Loop]:
    """Leaders and managers of teams get a report each month, by mail."""
    db, public_url = platform.db, platform.settings.public_url
    send = partial(leading.send_reports, desk, db, partial(_mail, mail, platform.clock), public_url)
    yield Loop("reports", GAP_SECONDS, partial(leading.plan_reports, desk, db), woken=False)
    yield Loop("report_mails", PASSING_SECONDS, send, due=False, woken=False)


async def _mail(channel: Channel, clock: Clock, mail_id: UUID, to: str, name: str, text: Text) -> None:
    """A mail that is about no case."""
    await channel.send(Delivery(mail_id, text, to=to, name=name, at=clock.now()))


def _helpdesks(settings: Settings, machine: Machine) -> tuple[Helpdesk, ...]:
    def access(url: str, user: str, token: SecretStr) -> PartnerAccess:
        return PartnerAccess(url, user, token.get_secret_value())

    accesses = Accesses(
        zendesk=access(settings.zendesk_url, settings.zendesk_user, settings.zendesk_token),
        jira=access(settings.jira_url, settings.jira_user, settings.jira_token),
        project=JiraProject(settings.jira_project, settings.jira_issue_type),
        freshdesk=access(settings.freshdesk_url, "", settings.freshdesk_key),
        hubspot=access(settings.hubspot_url, "", settings.hubspot_token),
        pipeline=settings.hubspot_pipeline,
        salesforce=access(
            settings.salesforce_url, settings.salesforce_client_id, settings.salesforce_client_secret
        ),
    )
    return tuple(helpdesks_of(accesses, machine))


def _syncing(desk: Desk, platform: Platform, helpdesks: Sequence[Helpdesk]) -> Iterator[Loop]:
    """One loop for each helpdesk."""
    for helpdesk in helpdesks:
        run = partial(outside.sync, desk, platform.db, helpdesk, platform.settings.public_url)
        yield Loop(f"helpdesk.{helpdesk.name}", SYNC_SECONDS, run, due=False)


def roster_of(file: Path, themes: Collection[str]) -> Roster:
    """The teams and routes of a file; none where there is no file.

    Args:
        file: `alerts.yaml`.
        themes: keys of the dictionary, which the file may name.

    Raises:
        ValueError: it cannot be used; each mistake is named with its line and path.
    """
    if not file.is_file():
        return Roster()
    checked = read_roster(file.read_text(encoding="utf-8"), themes)
    if checked.value is None:
        raise ValueError("\n".join(one.at(file) for one in checked.complaints))
    return checked.value


def _known_teams(rooms: Mapping[str, TeamRooms], roster: Roster) -> None:
    """See to it that rooms are of teams that there are.

    Raises:
        ValueError: there is no such team.
    """
    wrong = [team for team in rooms if team not in roster.teams]
    if wrong:
        known = ", ".join(roster.teams) or "none"
        why = f"{', '.join(wrong)}: there is no such team in alerts.yaml; there are: {known}"
        raise ValueError(f"AFTERWORD_ALERTS_ROOMS: {why}")


def known_rooms(rooms: Rooms, roster: Roster) -> None:
    """See to it that escalation policies tell only rooms that there are.

    Raises:
        ValueError: a step names a kind of room that is not set up; each is named with its place.
    """
    wrong = [
        f"alerts.yaml: {dotted((*where, *place))}: there is no {kind} room. {_ROOM_SETTINGS[kind]}, or take"
        " it out"
        for where, (team, rule) in roster.escalations.items()
        for place, kind in rule.rooms()
        if kind not in map(kind_of, rooms.of(team))
    ]
    if wrong:
        raise ValueError("\n".join(wrong))


_ROOM_SETTINGS = {
    "slack": "Set AFTERWORD_ALERTS_SLACK_WEBHOOK_URL, or the team's own in AFTERWORD_ALERTS_ROOMS",
    "teams": "Set AFTERWORD_ALERTS_TEAMS_WEBHOOK_URL, or the team's own in AFTERWORD_ALERTS_ROOMS",
    "pagerduty": "Set AFTERWORD_ALERTS_PAGERDUTY_ROUTING_KEY, or the team's own in AFTERWORD_ALERTS_ROOMS",
    "webhook": "Set AFTERWORD_ALERTS_WEBHOOK_URL",
}


def paces_of(settings: Settings, channels: Sequence[Channel] = ()) -> Mapping[str, Pace]:
    """How fast each channel may be given notices; each room of a team as fast as its kind.

    Raises:
        ValueError: a channel that there is not, or a pace that never lets anything go.
    """
    wrong = [name for name, per_minute in settings.per_minute.items() if name not in PACES or per_minute <= 0]
    if wrong:
        raise ValueError(f"AFTERWORD_ALERTS_PER_MINUTE: {', '.join(wrong)}: use {', '.join(PACES)}, above 0")
    given = {name: replace(PACES[name], per_minute=value) for name, value in settings.per_minute.items()}
    kinds = {**PACES, **given}
    return kinds | {one.name: kinds[kind_of(one.name)] for one in channels}


def channels_of(settings: Settings, machine: Machine) -> tuple[Channel, ...]:
    """E-mail, and each partner whose settings are there.

    Raises:
        ValueError: an address is not https, or a secret is none.
    """
    mail: Channel = EmailChannel(
        Server(
            settings.smtp_host,
            settings.smtp_port,
            settings.mail_from,
            settings.smtp_username,
            settings.smtp_password.get_secret_value(),
            settings.smtp_tls,
        )
    )
    return (mail, *_partners(settings, machine))


def _partners(settings: Settings, machine: Machine) -> Iterator[Channel]:
    """Who takes posts; each with connections of its own, so that none waits for another."""

    def poster(url: str) -> Poster:
        return Poster(url, client(), machine)

    if settings.sms_account:
        account = Account(settings.sms_account, settings.sms_from, settings.sms_token.get_secret_value())
        yield SmsChannel(poster(settings.sms_url.rstrip("/") + path(account.sid)), account)
    house = TeamRooms(
        slack=settings.slack_webhook_url,
        teams=settings.teams_webhook_url,
        pagerduty=settings.pagerduty_routing_key,
    )
    for team, rooms in {"": house, **settings.rooms}.items():
        if url := rooms.slack.get_secret_value():
            yield slack.room(poster(url), named("slack", team))
        if url := rooms.teams.get_secret_value():
            yield teams.room(poster(url), named("teams", team))
        if key := rooms.pagerduty.get_secret_value():
            at = poster(settings.pagerduty_url.rstrip("/") + ENQUEUE)
            yield PagerDutyChannel(at, key, named("pagerduty", team))
    if hook := settings.webhook_url.get_secret_value():
        yield WebhookChannel(poster(hook), settings.webhook_secret.get_secret_value(), machine)
