"""The pages that customers see, as a few of them left them: real programmes, mails and answers."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from shared.embedded.postgres import ensure_postgres, stop_postgres
from tests.support.databases import SERVICES, cloned, ensure_template
from tests.support.house import House, opened, someone
from tests.support.postbox import Mail
from tests.support.rooms import ROOT
from tests.support.townsfolk import answer

START = datetime(2026, 3, 3, 9, 0, tzinfo=UTC)
PRESETS = ROOT / "programmes" / "presets"
FILES = ("manufacturing.yaml", "saas.yaml", "groups.yaml")
QUARTER = timedelta(days=190)
"""The longest that a quarterly survey takes to come, from the day on which the customer became known."""

DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Place:
    """One page that is looked at.

    Attributes:
        name: short, as in the table.
        path: its address on the house; secret parts of it are of this run alone.
        what: what is on it.
    """

    name: str
    path: str
    what: str


NAMES = (
    "survey", "survey, score pressed", "survey, long", "thank-you, happy", "thank-you, unhappy",
    "answer, to change", "preferences", "preferences, cut-off link", "survey, closed", "survey, unknown link",
    "nowhere", "sign-in",
)  # fmt: skip
"""Every page that is looked at, in the order of the table."""


@asynccontextmanager
async def town(folder: Path) -> AsyncIterator[House]:
    """The five services on a database of their own, with the presets of two industries."""
    programmes = folder / "programmes"
    programmes.mkdir()
    for name in FILES:
        (programmes / name).write_text((PRESETS / name).read_text("utf-8"))
    server = await ensure_postgres(folder, durable=False)
    try:
        template = await ensure_template(server, SERVICES, folder)
        async with (
            cloned(server, template) as database,
            opened(database, START, programmes=programmes) as house,
        ):
            yield house
    finally:
        await stop_postgres(folder)


async def live(house: House) -> list[Place]:
    """Let customers be asked and some answer; returns the pages they would see now, in the order of NAMES."""
    known = {"id": "cloud", "name": "Cloud Foundry Ltd", "started_on": date(2026, 2, 1)}
    await house.tell("account.updated", contact=_person("eli", persona="user"), account=known)
    await _delivered(house, "fay")
    await house.later(days=2)
    await _asked(house, "eli@cloud.example", QUARTER)
    for name, locale in (("ana", "en"), ("bo", "sv"), ("cy", "en"), ("dee", "es")):
        await _delivered(house, name, locale=locale)
    await _asked(house, "dee@dee.example", 5 * DAY)
    await answer(house, _mail(house, "cy"), 5)
    await answer(house, _mail(house, "dee"), 1, why_low="Two boxes were wet, and nobody answered the phone.")
    ana, happy, unhappy = _mail(house, "ana"), _mail(house, "cy").survey, _mail(house, "dee").survey
    paths = {
        "survey": (ana.survey, "one click, a matrix, a text; English"),
        "survey, score pressed": (_mail(house, "bo").scores[2], "the score comes from the mail; Swedish"),
        "survey, long": (_mail(house, "eli", "cloud").survey, "all questions about the relationship"),
        "thank-you, happy": (happy, "what was answered, and what comes next"),
        "thank-you, unhappy": (unhappy, "the same after the worst answer; Spanish"),
        "answer, to change": (f"{unhappy}?edit=1", "a given answer opened again"),
        "preferences": (ana.stop, "fewer mails, or none"),
        "preferences, cut-off link": ("/u/cut-off", "404"),
        "survey, closed": (_mail(house, "fay").survey, "came too late: may ask to be contacted"),
        "survey, unknown link": ("/s/unknown", "404"),
        "nowhere": ("/nowhere", "404 of the house"),
        "sign-in": ("/signin", "for those who work with it"),
    }  # fmt: skip
    return [Place(name, *paths[name]) for name in NAMES]


async def _asked(house: House, address: str, within: timedelta) -> None:
    """Let time pass until somebody is asked.

    Raises:
        RuntimeError: they are not, however long one waits.
    """
    end = house.clock.now() + within
    while not house.mails(address):
        if house.clock.now() > end:
            raise RuntimeError(f"{address} was never asked")
        await house.until(house.clock.now() + DAY)


async def _delivered(house: House, name: str, **more: Any) -> None:
    account = {"id": name, "name": f"{name.title()} Machines"}
    await house.tell(
        "order.delivered", contact=_person(name, name, **more), account=account,
        subject={"kind": "order", "id": f"order-{name}"},
    )  # fmt: skip


def _person(name: str, company: str = "cloud", **more: Any) -> dict[str, Any]:
    return someone(name, company, **{"zone": "Europe/Stockholm", "locale": "en", **more})


def _mail(house: House, name: str, company: str = "") -> Mail:
    """The first mail by which somebody was asked."""
    return next(mail for mail in house.mails(f"{name}@{company or name}.example") if mail.scores)
