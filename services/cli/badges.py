"""`afterword badges`: scores that everybody may see: publish one, see what stands, take one back."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from services.cli.deployment import DATA_DIR, opened
from services.cli.taking_back import SHORT, Labelled, sure, the_one
from services.scoring.domain.asking import ask
from services.scoring.domain.badges import USUAL_LEAST, Badge, Period, Wanted, Why
from services.scoring.domain.histogram import Metric
from services.scoring.domain.windows import span_of
from services.scoring.handlers.badges import NotPublishedError, publish, take_back
from services.scoring.store import badges as store
from services.scoring.store import queries
from shared.runtime.ids import random_id
from shared.runtime.service import Platform

app = typer.Typer(no_args_is_help=True)
console = Console(markup=False)
DataDir = Annotated[Path, typer.Option("--data", help="Directory of the embedded deployment.")]
ACTOR = "CLI"


@app.command("list")
def list_command(
    data: DataDir = DATA_DIR,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="For programs, with whole ids.")] = False,
) -> None:
    """Show published scores: what they tell, where they are, who published them and took them back."""
    told = asyncio.run(_listed(data))
    if as_json:
        typer.echo(json.dumps(told))
    elif told:
        console.print(_table(told))
        for one in told:  # below the table, where no narrow terminal cuts them
            if not one["taken_back_at"]:
                console.print(f"{one['id'][:SHORT]}  {one['url']}", highlight=False, soft_wrap=True)
    else:
        console.print("No score is published.")


@app.command("publish")
def publish_command(
    programme: Annotated[str, typer.Argument(help="The programme's key.")],
    metric: Annotated[Metric, typer.Argument(help="Which of its scores.")],
    label: Annotated[str, typer.Option(help="Stands above the score, in public.")],
    period: Annotated[Period, typer.Option(help="Days up to today.")] = Period.DAYS_365,
    least: Annotated[int, typer.Option(help="Answers below which nothing is published.")] = USUAL_LEAST,
    data: DataDir = DATA_DIR,
) -> None:
    """Publish a score and print the address of its page. Words are chosen on the page Scores > Published."""

    async def job() -> tuple[str, int]:
        wanted = Wanted(label.strip(), programme, metric, period, least)
        async with opened("scoring", data) as platform:
            async with platform.db.begin() as tx:
                made = await publish(tx, random_id(), wanted, by=ACTOR)
                span = span_of(period.window, tx.now.date())
                asked = ask(programme=programme, metric=metric, family=made.family, span=span)
                found = await queries.scores(tx.conn, asked)
            return _address(platform, made), sum(one.histogram.n for one in found)

    try:
        address, answers = asyncio.run(job())
    except NotPublishedError as error:
        console.print(f"{error}.", style="red", highlight=False)
        raise typer.Exit(1) from None
    console.print(address, highlight=False, soft_wrap=True)
    if answers < least:
        console.print(
            f"It shows no number yet: there are {answers} answers, and it asks for {least}.", highlight=False
        )


@app.command("take-back")
def take_back_command(
    badge: Annotated[str, typer.Argument(help="Its label, or its id as `list` shows it.")],
    reason: Annotated[Why, typer.Option(help="Why; it is kept.")],
    data: DataDir = DATA_DIR,
    *,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask before.")] = False,
) -> None:
    """Take a published score back for good: its addresses say that it is gone."""
    one = the_one(asyncio.run(_labelled(data)), badge, "published score")
    name = f"{one.wanted.label} ({one.wanted.programme}, {one.wanted.metric.value})"
    if not sure(name, stands=one.stands, yes=yes):
        return
    asyncio.run(_take_back(one, reason, data))
    console.print(f"{name} is taken back.", highlight=False)


async def _listed(data: Path) -> list[dict[str, Any]]:
    async with opened("scoring", data) as platform:
        async with platform.db.read() as conn:
            found = await store.listed(conn)
        names = {f"user:{user.id}": user.name for user in await platform.access.list_users()}
        return [_told(one, _address(platform, one), names) for one in found]


async def _labelled(data: Path) -> list[Labelled[Badge]]:
    async with opened("scoring", data) as platform, platform.db.read() as conn:
        return [Labelled(one, str(one.id), one.wanted.label, one.stands) for one in await store.listed(conn)]


async def _take_back(badge: Badge, why: Why, data: Path) -> None:
    async with opened("scoring", data) as platform, platform.db.begin() as tx:
        await take_back(tx, badge.id, why, by=ACTOR)


def _address(platform: Platform, badge: Badge) -> str:
    return f"{platform.settings.public_url.rstrip('/')}/badges/{badge.key}"


def _told(badge: Badge, address: str, names: Mapping[str, str]) -> dict[str, Any]:
    wanted = badge.wanted
    return {
        "id": str(badge.id),
        "label": wanted.label,
        "programme": wanted.programme,
        "metric": wanted.metric.value,
        "period": wanted.period.value,
        "least": wanted.least,
        "url": address,
        "published_at": badge.published_at.isoformat(),
        "published_by": names.get(badge.published_by, badge.published_by),
        "taken_back_at": badge.taken_back_at.isoformat() if badge.taken_back_at else None,
        "taken_back_by": names.get(badge.taken_back_by, badge.taken_back_by),
        "reason": badge.reason,
    }


def _table(told: Sequence[Mapping[str, Any]]) -> Table:
    table = Table("label", "id", "score", "published", "state")
    for one in told:
        gone = one["taken_back_at"]
        state = f"taken back {gone[:10]} {one['taken_back_by']}: {one['reason']}" if gone else "stands"
        score = f"{one['programme']} {one['metric']}, {one['period']} days, from {one['least']} answers"
        published = f"{one['published_at'][:10]} {one['published_by']}"
        table.add_row(one["label"], one["id"][:SHORT], score, published, state)
    return table
