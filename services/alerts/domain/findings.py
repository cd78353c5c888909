"""What the answers of many show, told to whom it concerns: a score fell, a theme or churn rises (R68, R80).

A fall and a rise of churn concern all managers. A theme concerns the managers of the team that the dictionary
names for it, where `alerts.yaml` has a team of that key, else all managers. What is found together is told in
one mail.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode
from uuid import UUID

from services.alerts.domain.alarm import Text
from services.alerts.domain.routing import Staff
from shared.contracts.scores import ChurnRising, ScoreDropped, ThemeRising

MOST_TOLD = 10
"""Findings in one mail; the pages have all."""
MOST_HAPPENED = 5
_LANGUAGE = "en"
"""That of notices."""
_POINTS = frozenset({"nps", "nps5"})
_METRICS = {"nps": "NPS", "nps5": "NPS of five", "csat": "satisfaction", "ces": "ease"}


@dataclass(frozen=True, slots=True)
class Finding:
    """One finding in words.

    Attributes:
        subject: what it is, in a few words.
        label: of the line that tells it.
        told: the numbers.
        team: key of the team that it concerns; "" for all managers.
        link: where it is shown, without the address of the house.
        happened: releases, incidents and changes of these weeks.
    """

    subject: str
    label: str
    told: str
    team: str
    link: str
    happened: tuple[str, ...]


def of_drop(told: ScoreDropped) -> Finding:
    """A score that fell."""
    name = f"{told.programme or told.cell}, {_METRICS.get(told.metric, told.metric)}"
    return Finding(
        f"{name} fell",
        "Fell",
        f"{name}: {_value(told.after, told.metric)} in the last 30 days, {_value(told.before, told.metric)}"
        f" in the 90 before ({told.n_after} and {told.n_before} answers)",
        "",
        f"/scores?{urlencode({'programme': told.programme})}" if told.programme else "/scores",
        told.happened,
    )


def of_rise(told: ThemeRising) -> Finding:
    """A theme that more customers speak of."""
    name = told.names.get(_LANGUAGE) or told.theme
    shares = (
        f"{told.after:.0f} % of comments, {told.before:.0f} % were to be expected"
        if told.after is not None and told.before is not None
        else "more than before"
    )
    told_by = f"{told.n_after} of {told.comments_after} comments of {told.accounts} customers"
    return Finding(
        f"more speak of {name.lower()}",
        "Named more often",
        f"{name}: {shares} ({told_by}; {told.negative_after} complain)",
        told.team,
        f"/scores/comments?{urlencode({'theme': told.theme, 'period': '30'})}",
        told.happened,
    )


def of_churn(told: ChurnRising) -> Finding:
    """More customers that leave."""
    among = f" (of about {told.accounts_after})" if told.accounts_after else ""
    of = f" of {told.dimension} {told.value}" if told.dimension else ""
    above_all = "".join(f"; {' '.join(part.split(':', 1))} rises by itself" for part in told.parts)
    return Finding(
        f"more customers{of} leave",
        "Left",
        f"{told.left_after} customers{of}{among} left in the last 30 days, {told.expected:.1f} were to be"
        f" expected from the 180 before ({told.left_before} left){above_all}",
        "",
        "/scores",
        told.happened,
    )


def finding_of(told: ScoreDropped | ThemeRising | ChurnRising) -> Finding:
    """What was found, in words."""
    if isinstance(told, ScoreDropped):
        return of_drop(told)
    return of_rise(told) if isinstance(told, ThemeRising) else of_churn(told)


def mails(found: Iterable[Finding], staff: Staff) -> Mapping[UUID, Sequence[Finding]]:
    """Who is told of what; findings keep their order."""
    wanted: dict[UUID, list[Finding]] = {}
    for one in found:
        known = one.team in staff.roster.teams
        for user_id in staff.team(one.team).managers if known else staff.managers:
            wanted.setdefault(user_id, []).append(one)
    return wanted


def letter(found: Sequence[Finding], base: str) -> Text:
    """The mail; `base` is the address of the pages."""
    first, more = found[0], len(found) - 1
    also = f", and {more} more {'finding' if more == 1 else 'findings'}" if more else ""
    happened = list(dict.fromkeys(one for each in found for one in each.happened))
    facts = [(one.label, one.told) for one in found[:MOST_TOLD]]
    if len(found) > MOST_TOLD:
        facts.append(("And", f"{len(found) - MOST_TOLD} more on the pages"))
    if happened:
        facts.append(("Meanwhile", "; ".join(happened[:MOST_HAPPENED])))
    return Text(
        subject=f"{first.subject[0].upper()}{first.subject[1:]}{also}",
        headline="This changed by more than chance explains."
        if not more
        else "These changed by more than chance explains.",
        quote="",
        facts=tuple(facts),
        action="Read what people wrote. Where something is to be changed, propose an improvement from there:"
        " its effect is measured, and those who raised it can be told.",
        link=f"{base}{first.link if not more else '/scores'}",
        button="See it",
        calm=True,
    )


def _value(value: float, metric: str) -> str:
    if metric in _POINTS:
        return f"{value:+.0f}"
    return f"easy for {value:.0f} %" if metric == "ces" else f"{value:.0f} %"
