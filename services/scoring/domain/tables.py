"""Every table that is given away as a file: its columns, and who may have it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from shared.contracts.model import Family
from shared.tables import Column, Kind


class Table(StrEnum):
    """Tables of the score pages, and the answers that all of them are made of."""

    FACTS = "facts"
    ANSWERS = "answers"
    PROGRAMMES = "programmes"
    RATES = "rates"
    TREND = "trend"
    BREAKDOWN = "breakdown"
    READINGS = "readings"
    COHORTS = "cohorts"
    ATTRIBUTES = "attributes"
    EFFECTS = "effects"
    WISHES = "wishes"
    THEMES = "themes"
    COMMENTS = "comments"
    GOALS = "goals"
    FIXES = "fixes"
    OUTCOMES = "outcomes"
    OUTCOMES_BY_PROGRAMME = "outcomes_by_programme"
    REFERENCES = "references"
    MANAGERS = "managers"
    ACCOUNTS = "accounts"
    ACCOUNT_SCORES = "account_scores"
    POOLS = "pools"
    CHURN = "churn"


class Needed(StrEnum):
    """What somebody must be allowed to see besides scores."""

    NOTHING = "nothing"
    ACCOUNTS = "accounts"
    ANSWERS = "answers"


@dataclass(frozen=True, slots=True)
class Shape:
    """The columns of a table, what is needed to see it, and whether it is of one programme."""

    columns: Sequence[Column]
    needed: Needed = Needed.NOTHING
    of_programme: bool = False


def _shape(text: str, needed: Needed = Needed.NOTHING, *, of_programme: bool = False) -> Shape:
    """A shape from names; the kind stands behind a colon where it is no text."""
    columns = []
    for word in text.split():
        name, _, kind = word.partition(":")
        columns.append(Column(name, Kind(kind or "text")))
    return Shape(columns, needed, of_programme)


HEALTH_PARTS: Sequence[str] = (
    *(f"health_{asked}_{family.value}" for asked in ("nps", "csat", "ces") for family in Family),
    "health_tickets", "health_usage", "health_silence",
)  # fmt: skip
"""Columns of the parts of health; each kind of survey has its own (R6)."""

_SCORE = "n:count score:real low:real high:real"
_OF = "family programme metric"
_FACT = """
    response_id survey_id state version:count day:day cohort:day answered_at:instant family programme
    programme_version touchpoint stage tier industry size owner persona job_function product service_type
    region locale channel account_id contact_id nps:number nps5:number csat:number ces:number mood context
"""

SHAPES: Mapping[Table, Shape] = {
    Table.FACTS: _shape(_FACT, Needed.ANSWERS),
    Table.ANSWERS: _shape(
        "response_id day:day programme family account_id account_name persona channel nps:number nps5:number"
        " csat:number ces:number rating:number words language tone",
        Needed.ANSWERS,
    ),
    Table.PROGRAMMES: _shape(
        f"{_OF} {_SCORE} n_before:count score_before:real points:real points_low:real points_high:real"
        " verdict"
    ),
    Table.RATES: _shape(
        "family programme asked:count answered:count held:count rate:real low:real high:real"
    ),
    Table.TREND: _shape(f"{_OF} start:day end:day {_SCORE}"),
    Table.BREAKDOWN: _shape(
        f"{_OF} dimension value {_SCORE} points:real verdict days:count since:day", of_programme=True
    ),
    Table.READINGS: _shape(f"{_OF} reading accounts:count covered:real {_SCORE}", of_programme=True),
    Table.COHORTS: _shape(
        "programme start:day asked:count answered:count rate:real arrived:real expected_rate:real"
        " complete:truth",
        of_programme=True,
    ),
    Table.ATTRIBUTES: _shape(
        "programme attribute n:count satisfied:count neutral:count unhappy:count performance:real low:real"
        " high:real importance:real chance:real quadrant",
        of_programme=True,
    ),
    Table.EFFECTS: _shape(
        f"{_OF} attribute value n:count score:real others:real points:real low:real high:real chance:real"
        " certain:truth",
        of_programme=True,
    ),
    Table.WISHES: _shape("programme attribute named:count asked:count low:real high:real", of_programme=True),
    Table.THEMES: _shape(
        "theme name team n:count negative:count neutral:count positive:count share:real low:real high:real"
        " course accounts:count negative_share:real negative_low:real negative_high:real"
    ),
    Table.COMMENTS: _shape(
        "response_id day:day programme family account_id account_name persona nps:number nps5:number"
        " csat:number ces:number words language tone at_odds:truth themes quotable:truth",
        Needed.ANSWERS,
    ),
    Table.GOALS: _shape(
        "group family metric change by:day since:day before:real n_before:count low_before:real"
        " high_before:real now:real n_now:count low_now:real high_now:real target:real share:real progress"
    ),
    Table.FIXES: _shape(
        f"day:day label {_OF} product inside n_before:count n_after:count before:real after:real points:real"
        " low:real high:real verdict certain:truth"
    ),
    Table.OUTCOMES: _shape("metric mood accounts:count left:count link points:real low:real high:real"),
    Table.OUTCOMES_BY_PROGRAMME: _shape(
        "programme touchpoints metric mood accounts:count left:count tells points:real low:real high:real"
        " worth:real asked:count follows_up:truth consider_retiring:truth"
    ),
    Table.REFERENCES: _shape(
        f"name metric value:real source industry competitor:truth family {_SCORE} standing"
    ),
    Table.MANAGERS: _shape(
        "owner asked:count answered:count rate:real low:real high:real", Needed.ACCOUNTS
    ),
    Table.ACCOUNTS: _shape(
        "account_id name tier industry size owner region annual_value:real acquisition_cost:real phase"
        " renewal_on:day health:count"
        " health_known:real answers:count silent_days:count open_tickets:count support_tickets:count"
        " usage:real decision_makers:count decision_makers_heard:count users:count users_heard:count"
        f" {' '.join(f'{name}:real' for name in HEALTH_PARTS)}",
        Needed.ACCOUNTS,
    ),
    Table.ACCOUNT_SCORES: _shape(f"account_id name family metric persona {_SCORE}", Needed.ACCOUNTS),
    Table.POOLS: _shape(f"family persona metric {_SCORE}", Needed.ACCOUNTS),
    Table.CHURN: _shape(
        "tier ended_or_renewed:count left:count share:real low:real high:real value_left:real cost_left:real",
        Needed.ACCOUNTS,
    ),
}  # fmt: skip
"""Shares are from 0 to 1, scores as everywhere: NPS in points from -100 to 100, CSAT and CES in percent."""

_SIDE = "n_{side}:count score_{side}:real low_{side}:real high_{side}:real held_{side}"
COMPARISON = _shape(
    f"family metric reading {_SIDE.format(side='a')} {_SIDE.format(side='b')} in_both:count points:real"
    " points_low:real points_high:real verdict"
)
"""Two sides beside each other; what pages hold back is held back here, too."""
