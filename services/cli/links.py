"""`afterword programmes link`, `links`, `withdraw-link`: surveys without an invitation."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import typer
from rich.console import Console
from rich.table import Table

from services.cli.deployment import DATA_DIR, opened
from services.cli.taking_back import SHORT, Labelled, sure, the_one
from services.collector.store import links as came
from services.collector.store.links import LinkRow
from services.trigger.domain.shared_links import LONGEST, Why, link_id
from services.trigger.handlers.shared_links import Asked, NoLinkError, address_of, make, take_back
from services.trigger.pages.showing import operators_of
from services.trigger.store import shared_links as store
from shared.contracts.surveys import SurveyShared
from shared.runtime.ids import random_id

app = typer.Typer()
console = Console(markup=False)
DataDir = Annotated[Path, typer.Option("--data", help="Directory of the embedded deployment.")]
ACTOR = "CLI"


@dataclass(frozen=True, slots=True)
class Overview:
    """Links, the newest first, with their addresses, what came of them, and the names of who made them."""

    links: Sequence[SurveyShared]
    addresses: Mapping[str, str]
    rows: Mapping[str, LinkRow]
    names: Mapping[str, str]
    now: datetime

    @property
    def labelled(self) -> list[Labelled[SurveyShared]]:
        """The links by what they are called."""
        return [Labelled(one, one.link_id, one.label, one.withdrawn_at is None) for one in self.links]

    def told(self, link: SurveyShared) -> dict[str, Any]:
        """One link for people and programs."""
        row = self.rows.get(link.link_id)
        return {
            "id": link.link_id,
            "label": link.label,
            "programme": link.snapshot.programme,
            "url": self.addresses[link.link_id],
            "made_at": link.shared_at.isoformat(),
            "made_by": self.names.get(link.shared_by, link.shared_by),
            "state": self._state(link),
            "until": (link.withdrawn_at or link.closes_at).isoformat(),
            "withdrawn_by": self.names.get(link.withdrawn_by, link.withdrawn_by),
            "reason": link.reason,
            "answers": row.counted if row else 0,
            "held": row.held if row else 0,
            "came_too_late": row.refused if row else 0,
        }

    def _state(self, link: SurveyShared) -> str:
        if link.withdrawn_at:
            return "withdrawn"
        return "open" if self.now < link.closes_at else "closed"


@app.command("link")
def link_command(
    key: Annotated[str, typer.Argument(help="The programme's key.")],
    label: Annotated[str, typer.Option(help="Where it will stand: newsletter-march, fair-2027.")],
    days: Annotated[int, typer.Option(min=1, max=LONGEST.days, help="How long answers are taken.")] = 90,
    account: Annotated[str, typer.Option(help="The company of all who will answer, if one is known.")] = "",
    data: DataDir = DATA_DIR,
) -> None:
    """Make a survey link without an invitation, for a newsletter, a code on a wall, an intranet page."""

    async def job() -> str:
        async with opened("trigger", data) as platform, platform.db.begin() as tx:
            asked = Asked(label.strip(), timedelta(days=days), account)
            made = await make(tx, key, link_id(key, str(random_id())), asked, by=ACTOR)
            return address_of(platform.tokens, made, platform.settings.public_url)

    try:
        console.print(asyncio.run(job()), highlight=False, soft_wrap=True)
    except NoLinkError as error:
        console.print(f"{error}.", style="red", highlight=False)
        raise typer.Exit(1) from None


@app.command("links")
def links_command(
    key: Annotated[str, typer.Argument(help="One programme alone.")] = "",
    data: DataDir = DATA_DIR,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="For programs, with addresses.")] = False,
) -> None:
    """Show shared links: when and by whom they were made, what was answered, who came too late."""
    overview = asyncio.run(_overview(key, data))
    told = [overview.told(link) for link in overview.links]
    if as_json:
        typer.echo(json.dumps(told))
    elif told:
        console.print(_table(told))
    else:
        console.print(f"There is no shared link{f' to {key}' if key else ''}.", highlight=False)


@app.command("withdraw-link")
def withdraw_command(
    link: Annotated[str, typer.Argument(help="Its label, or its id as `links` shows it.")],
    reason: Annotated[Why, typer.Option(help="Why; it is kept.")],
    data: DataDir = DATA_DIR,
    *,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask before.")] = False,
) -> None:
    """Take a shared link back for good: nobody can answer by it any more, and what was answered stays."""
    overview = asyncio.run(_overview("", data))
    one = the_one(overview.labelled, link, "shared link")
    told = overview.told(one)
    name = f"{told['label']} ({told['programme']}, {told['answers']} answers)"
    if not sure(name, stands=one.withdrawn_at is None, yes=yes):
        return
    asyncio.run(_withdraw(one, reason, data))
    console.print(f"{name} is taken back.", highlight=False)


async def _overview(key: str, data: Path) -> Overview:
    async with opened("trigger", data) as platform:
        async with platform.db.read() as conn:
            links = await store.listed(conn, key)
        public_url, now = platform.settings.public_url, platform.clock.now()
        addresses = {link.link_id: address_of(platform.tokens, link, public_url) for link in links}
        actors = [actor for link in links for actor in (link.shared_by, link.withdrawn_by)]
        names = await operators_of(platform, actors)
    async with opened("collector", data) as platform, platform.db.read() as conn:
        rows = await came.listed(conn, now, [UUID(link.link_id) for link in links])
    return Overview(links, addresses, {str(row.link_id): row for row in rows}, names, now)


async def _withdraw(link: SurveyShared, why: Why, data: Path) -> None:
    async with opened("trigger", data) as platform, platform.db.begin() as tx:
        await take_back(tx, link.snapshot.programme, UUID(link.link_id), why, by=ACTOR)


def _table(told: Sequence[Mapping[str, Any]]) -> Table:
    table = Table("label", "id", "programme", "made", "answers", "state")
    for one in told:
        held = f" (+{one['held']} held)" if one["held"] else ""
        late = f", {one['came_too_late']} came too late" if one["came_too_late"] else ""
        word = "until" if one["state"] == "open" else "since"
        why = f": {one['reason']}" if one["reason"] else ""
        table.add_row(
            one["label"], one["id"][:SHORT], one["programme"],
            f"{one['made_at'][:10]} {one['made_by']}", f"{one['answers']}{held}",
            f"{one['state']} {word} {one['until'][:10]}{why}{late}",
        )  # fmt: skip
    return table
