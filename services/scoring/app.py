"""Composition root of scoring."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from pathlib import Path

from fastapi import APIRouter

from services.scoring.api import comments, crm, digests, filed, results, routes, tables
from services.scoring.api.badges import BadgeRoutes
from services.scoring.connectors.partners import Accesses, crms_of
from services.scoring.domain.crm import Crm
from services.scoring.domain.digest import Day, Schedule
from services.scoring.domain.filing import Schedule as Filed
from services.scoring.domain.filing import fileable
from services.scoring.domain.health import WEIGHTS, Part
from services.scoring.domain.references import References
from services.scoring.domain.windows import Window
from services.scoring.handlers import SUBSCRIPTIONS, TOUCHING_SUBSCRIPTIONS
from services.scoring.handlers.comments import Library, library, reading
from services.scoring.handlers.showcase import Showcase
from services.scoring.handlers.tables import Shelf
from services.scoring.pages import pages
from services.scoring.pages.answers import answer_pages
from services.scoring.pages.badge import badge_pages
from services.scoring.pages.badges import operator_pages
from services.scoring.pages.comments import comment_pages
from services.scoring.pages.compare import compare_pages
from services.scoring.pages.crm import crm_pages
from services.scoring.pages.results import result_pages
from services.scoring.pages.views import Thresholds
from services.scoring.settings import Settings
from services.scoring.worker.churn import watching as watching_churn
from services.scoring.worker.clustering import learning
from services.scoring.worker.crm import Office, counting, planning, writing
from services.scoring.worker.digests import Post, digesting
from services.scoring.worker.filing import Cabinet, filing
from services.scoring.worker.headlines import announcing, closing, refreshing, republish, watching
from services.scoring.worker.themes import watching as watching_themes
from shared.config.plain import plain_file
from shared.errors import AfterwordError
from shared.runtime.clock import Machine
from shared.runtime.loops import Loop
from shared.runtime.service import Platform, Service
from shared.security.partners import PartnerAccess
from shared.smtp import Server
from shared.web.exports import INSTALL, Format
from shared.web.routing import join
from shared.words.file import dictionary_of

CRM_GAUGE_SECONDS = 60.0

SETTLE_SECONDS = 900.0
"""After a start, until no process of an earlier version writes cells any more."""


async def build(settings: Settings, platform: Platform) -> Service:
    """Scoring, ready to run."""
    router = APIRouter()
    weights = {Part(name): weight for name, weight in settings.health_weights.items()} or WEIGHTS
    join(router, routes(platform.db, platform.clock, weights))
    thresholds = Thresholds(settings.response_floor, settings.response_target)
    join(router, pages(platform.db, platform.clock, thresholds, weights))
    read_with = library(platform.sealer, dictionary_of(platform.settings.dictionary))
    join(router, comments.routes(platform.db, platform.clock, read_with))
    join(router, comment_pages(platform.db, platform.clock, read_with))
    join(router, answer_pages(platform.db, platform.clock, read_with))
    join(router, compare_pages(platform.db, platform.clock))
    references = references_of(settings.references)
    join(router, results.routes(platform.db, platform.clock, references))
    join(router, result_pages(platform.db, platform.clock, references))
    join(router, tables.routes(platform.db, platform.clock, read_with, references, weights))
    join(router, digests.routes(platform.db, platform.clock))
    join(router, filed.routes(platform.db, platform.clock))
    crms = _crms(settings, platform.machine)
    connected = [one.name for one in crms]
    join(router, crm.routes(platform.db, connected))
    join(router, crm_pages(platform.db, connected))
    _badges(router, platform, read_with)
    return Service(
        name="scoring",
        router=router,
        subscriptions=TOUCHING_SUBSCRIPTIONS if crms else SUBSCRIPTIONS,
        loops=(
            Loop("announce", settings.announce_seconds, announcing(platform.db), due=False, woken=False),
            Loop("months", settings.months_seconds, closing(platform.db, SETTLE_SECONDS), woken=False),
            Loop("clustering", settings.clustering_seconds, learning(platform.db), due=False, woken=False),
            Loop("watch", settings.watch_seconds, watching(platform.db), due=False, woken=False),
            Loop("watch_churn", settings.watch_seconds, watching_churn(platform.db), due=False, woken=False),
            Loop(
                "watch_themes",
                settings.watch_seconds,
                watching_themes(platform.db, read_with),
                due=False,
                woken=False,
            ),
            Loop(
                "reading",
                settings.reading_seconds,
                reading(platform.db, platform.sealer, read_with.ready),
                due=False,
                woken=False,
            ),
            *_digests(settings, platform, weights),
            *_filing(settings, Shelf(platform.db, read_with, references, weights)),
            *_writing(settings, platform, weights, crms),
            Loop("gauges", settings.gauges_seconds, refreshing(platform.db), due=False, woken=False),
        ),
        republish=republish,
    )


def _badges(router: APIRouter, platform: Platform, read_with: Library) -> None:
    """What is published for everybody, and the pages of those who publish."""
    url = platform.settings.public_url
    signer = platform.tokens.public()
    showcase = Showcase(platform.db, platform.clock, platform.machine, read_with)
    numbers = BadgeRoutes(platform.db, platform.clock, platform.machine, showcase, signer, url)
    join(router, numbers.router())
    join(router, badge_pages(showcase))
    join(router, operator_pages(platform.db, platform.clock, read_with, url))


def _digests(settings: Settings, platform: Platform, weights: Mapping[Part, float]) -> Iterator[Loop]:
    """The loop of weekly mails, where there is a mail server and a day for them."""
    if not settings.smtp_host or settings.digest_day == "off":
        return
    server = Server(
        settings.smtp_host, settings.smtp_port, settings.mail_from, settings.smtp_username,
        settings.smtp_password.get_secret_value(), settings.smtp_tls,
    )  # fmt: skip
    schedule = Schedule(Day(settings.digest_day), settings.digest_hour)
    post = Post(schedule, server, platform.settings.public_url.rstrip("/"), weights)
    yield Loop("digests", settings.digest_seconds, digesting(platform.db, post), woken=False)


def _filing(settings: Settings, shelf: Shelf) -> Iterator[Loop]:
    """The loop that puts tables into a folder, where there is one.

    Raises:
        AfterwordError: a table does not belong there, or what writes this format is not installed.
    """
    if settings.export_folder is None or not settings.export_tables:
        return
    kind = Format(settings.export_format)
    if not kind.installed:
        raise AfterwordError(f"AFTERWORD_SCORING_EXPORT_FORMAT: {kind} needs a library. {INSTALL}")
    try:
        tables = fileable(settings.export_tables)
    except ValueError as error:
        raise AfterwordError(f"AFTERWORD_SCORING_EXPORT_TABLES: {error}.") from error
    day = None if settings.export_day == "daily" else Day(settings.export_day)
    window = Window(settings.export_period)
    cabinet = Cabinet(settings.export_folder, tables, kind, Filed(day, settings.export_hour), window)
    yield Loop("filing", settings.export_seconds, filing(shelf.db, shelf, cabinet), due=False, woken=False)


def _crms(settings: Settings, machine: Machine) -> tuple[Crm, ...]:
    accesses = Accesses(
        hubspot=PartnerAccess(settings.hubspot_url, "", settings.hubspot_token.get_secret_value()),
        hubspot_key=settings.hubspot_company_key,
        salesforce=PartnerAccess(
            settings.salesforce_url,
            settings.salesforce_client_id,
            settings.salesforce_client_secret.get_secret_value(),
        ),
        salesforce_key=settings.salesforce_account_key,
        gainsight=PartnerAccess(settings.gainsight_url, "", settings.gainsight_key.get_secret_value()),
        gainsight_key=settings.gainsight_company_key,
        totango=PartnerAccess(
            settings.totango_url, settings.totango_service, settings.totango_token.get_secret_value()
        ),
    )
    return tuple(crms_of(accesses, machine))


def _writing(
    settings: Settings, platform: Platform, weights: Mapping[Part, float], crms: Sequence[Crm]
) -> Iterator[Loop]:
    """One loop that plans, and one for each CRM and kind, so that a dead one delays no other."""
    if not crms:
        return
    office = Office(platform.db, platform.sealer, weights, timedelta(seconds=settings.crm_settle_seconds))
    every = settings.crm_seconds
    yield Loop("crm", every, planning(office, crms), due=False, woken=False)
    for one in crms:
        for kind in sorted(one.kinds):
            write = writing(office, one, kind)
            yield Loop(f"crm.{one.name}.{kind}", every, write, due=False, woken=False)
    yield Loop("crm.gauge", CRM_GAUGE_SECONDS, counting(platform.db), due=False, woken=False)


def references_of(path: Path | None) -> References:
    """The values in a file, or the shipped ones.

    Raises:
        AfterwordError: the file cannot be used; the message names the place.
    """
    file = path or Path(__file__).parent / "references.yaml"
    return plain_file(
        References, file, "AFTERWORD_SCORING_REFERENCES", begins="values:", described="docs/scores.md"
    )
