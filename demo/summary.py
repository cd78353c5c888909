"""The end of the story: the product's books beside what really happened outside, and whether both agree."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

import asyncpg
from rich.console import Console
from rich.table import Table

from demo.backends import Helpdesk
from demo.explained import UNEXPLAINED
from demo.mails import Sink
from demo.people import Tally
from demo.supervisor import Afterword


@dataclass
class Summary:
    """All sums, and the promises with whether each was kept."""

    facts: dict[str, Any]
    promises: dict[str, bool] = field(default_factory=dict)

    @property
    def sound(self) -> bool:
        """Whether every promise was kept."""
        return all(self.promises.values())


async def summarise(afterword: Afterword, tally: Tally, sink: Sink, helpdesk: Helpdesk) -> Summary:
    """Ask the product for its books and hold them against the outside view."""
    books = json.loads(await afterword.command("books", "--json"))
    conn = await asyncpg.connect(afterword.admin_dsn)
    try:
        planned = await conn.fetchval(_PLANNED)
        dead = await conn.fetchval("select count(*) from trigger.dead_letters")
        machine_voices = await conn.fetchval(_MACHINE_VOICES)
        unheard = await conn.fetchval(_UNHEARD_WEEKS)
        unexplained = [row["gap"] for row in await conn.fetch(UNEXPLAINED)]
    finally:
        await conn.close()
    trigger, dispatch, alerts = books["trigger"], books["dispatch"], books["alerts"]
    uncertain = dispatch["uncertain"]
    people = len(tally.answered)
    counted = books["scoring"]["answered"]
    promises = {
        "every plan in the ledger is pending, requested, suppressed or cancelled": trigger["balanced"]
        and planned == trigger["planned"],
        "every person, account and plan has its reason in the ledger": not unexplained,
        "every request is handed over, failed, uncertain, suppressed or open": dispatch["balanced"]
        and dispatch["requested"] == trigger["asked"],
        "no mail arrived twice": sink.doubled() == 0,
        "every person's answer counts, no machine's does": counted == people,
        "no machine's answer is in a ticket": machine_voices == 0 and alerts["held_in_tickets"] == 0,
        "each unhappy answer is in exactly one ticket": alerts["unhappy_without_ticket"] == 0,
        "no clock ran out untold": alerts["overdue_untold"] == 0,
        "every leader hears of each week by its digest": unheard == 0,
        "the malformed event is a dead letter": dead == 1,
        "the forged webhook was refused": helpdesk.refused == 1,
    }
    facts = {
        **books,
        "outside": _outside(tally, sink),
        "uncertain": uncertain,
        "restarts": afterword.restarts,
        "unexplained": unexplained,
    }
    return Summary(facts | {"promises": promises}, promises)


# The ledger's own count, independent of the table of plans; an expanded plan counts as what it became.
_PLANNED = """
select count(distinct plan_id) from trigger.decisions d where outcome = 'planned'
    and not exists (select from trigger.plans p where p.id = d.plan_id and p.state = 'expanded')
"""
# From the first Monday on which leaders were there; what is still on its way counts as not heard.
_UNHEARD_WEEKS = """
select count(*) from access.users u, generate_series(
    (select min(week) from scoring.digests), (select max(week) from scoring.digests), '7 days') as w (week)
where u.role in ('manager', 'admin') and not exists (select from scoring.digests d
    where d.user_id = u.id and d.week = w.week::date and d.state in ('sent', 'uncertain'))
"""
_MACHINE_VOICES = """
select count(*) from alerts.voices v join collector.responses r on r.survey_id = v.survey_id
where r.state = 'held' and v.state = 'unhappy'
"""


def _outside(tally: Tally, sink: Sink) -> dict[str, Any]:
    return {
        "answered": len(tally.answered),
        "amended": tally.amended,
        "unsubscribed": tally.unsubscribed,
        "gateway_requests": tally.gateway_requests,
        "robot_posts": tally.robot_posts,
        "tickets_contacted": tally.contacted,
        "refused": sorted(tally.refused),
        "doubled_mails": sink.doubled(),
    }


def show(console: Console, summary: Summary, afterword: Afterword) -> None:
    """Say it in two minutes: what was asked, what came back, who was cared for, what was promised."""
    facts = summary.facts
    trigger, dispatch, alerts = facts["trigger"], facts["dispatch"], facts["alerts"]
    suppressed = ", ".join(f"{reason} {n}" for reason, n in sorted(trigger["suppressed"].items())) or "none"
    console.print(
        f"\n[bold]Planned {trigger['planned']}[/bold] = pending {trigger['pending']} + requested"
        f" {trigger['requested']} + cancelled {trigger['cancelled']} + suppressed"
        f" {sum(trigger['suppressed'].values())} ({suppressed})"
    )
    console.print(
        f"[bold]Requested {dispatch['requested']}[/bold] = handed over {dispatch['handed_over']} + failed"
        f" {dispatch['failed']} + uncertain {dispatch['uncertain']} + suppressed at hand-over"
        f" {sum(dispatch['suppressed'].values())} + open {dispatch['open']}"
    )
    outside = facts["outside"]
    console.print(
        f"[bold]Answered {facts['scoring']['answered']}[/bold] by people ({outside['amended']} amended);"
        f" {facts['scoring']['held']} held back as machine-made, after {outside['gateway_requests']} requests"
        f" and {outside['robot_posts']} pressed buttons of mail gateways"
    )
    console.print(_scores(facts))
    states = ", ".join(f"{state} {n}" for state, n in alerts["tickets"].items())
    breaches = ", ".join(f"{clock} {n}" for clock, n in alerts["breaches"].items()) or "none"
    console.print(f"[bold]Tickets[/bold]: {states}; escalated: {breaches}\n")
    for promise, kept in summary.promises.items():
        console.print(f"  [{'green' if kept else 'bold red'}]{'kept  ' if kept else 'BROKEN'}[/] {promise}")
    _where_next(console, afterword)


def _scores(facts: dict[str, Any]) -> Table:
    table = Table("programme", "metric", "answers", "score", "95 % interval")
    for row in facts["scoring"]["programmes"]:
        if row["score"] is None:
            continue
        spread = f"{row['low']:.0f} to {row['high']:.0f}"
        table.add_row(row["programme"], row["metric"].upper(), str(row["n"]), f"{row['score']:.0f}", spread)
    return table


def _where_next(console: Console, afterword: Afterword) -> None:
    console.print("\n[bold]Look at[/bold]")
    console.print(f"  inbox and tickets  {afterword.url}/inbox   sign in as freja@nordlicht.example")
    console.print("                     password: a long day in the north")
    console.print(f"  scores             {afterword.url}/scores")
    console.print(f"  why was X asked?   {afterword.url}/why")
    console.print(f"  the mails          {afterword.mail_page}")
    console.print("  all sums           .demo/summary.json")
