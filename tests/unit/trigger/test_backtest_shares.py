"""A history in shares: the same report from several processes as from one, whatever ties people together."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from services.cli.backtest_run import Setting, report_of_run, run
from services.cli.backtest_shares import Share, dealt, run_apart
from services.trigger.domain.backtest.apart import NOTHING, Bonds, Groups, Heard, Words
from services.trigger.domain.backtest.report import Assumptions, BacktestReport
from services.trigger.domain.programme import Edition, edition_of
from services.trigger.sources.history import History
from tests.support.changed import replace
from tests.support.histories import BEGINS, DAYS, PROGRAMMES, cloud_event, history
from tests.unit.trigger.support import ORGANISATION, definition

ALL = [edition_of(definition(**changes)) for changes in PROGRAMMES]
EVERY_USER = [
    edition_of(definition(**{**changes, "audience": {"who": "product", "sample": 0.5}}))
    if changes["key"] == "feature" else edition_of(definition(**changes))
    for changes in PROGRAMMES
]  # fmt: skip
"""The same, without an audience that chooses among people who belong to no account."""

ASSUMED = Assumptions(zone="Europe/Stockholm", capacity=1)
OURS = replace(ORGANISATION, own_domains=("nordlicht.example",))
_OWN_NAME = re.compile(r'"(contract-a|a|c|thin|s)(\d+)"|"p(\d)@|"nobody@')
"""Ids and addresses of accounts, people and things."""


def of_seeds(seeds: Iterable[int]) -> list[str]:
    """Histories of customers who know nothing of each other, but of the same product.

    Only some of them have people without an account, who hang together.
    """
    told = sorted((one[0], seed, place, one) for seed in seeds for place, one in enumerate(history(seed)))
    lines = [(seed, json.dumps(cloud_event((at, f"{seed}-{one[1]}", *one[2:])))) for at, seed, _, one in told]
    return [_renamed(line, seed) for seed, line in lines if seed % 3 == 0 or "thin" not in line]


def _renamed(line: str, seed: int) -> str:
    if '"feature.released"' in line:
        return line
    return _OWN_NAME.sub(lambda found: found[0].replace(found[0][:2], f"{found[0][:2]}{seed}x"), line)


def setting(walked: History, *folders: Sequence[Edition], **files: Path) -> Setting:
    named = tuple((str(number), folder) for number, folder in enumerate(folders))
    ends = BEGINS + timedelta(days=DAYS + 5)
    return Setting(OURS, BEGINS + timedelta(days=9), ends, named, walked.begins or BEGINS, **files)


def shares_of(
    file: Path, folders: Sequence[Sequence[Edition]], most: int, **files: Path
) -> tuple[History, list[Share]]:
    groups = Groups(Bonds.of(edition for folder in folders for edition in folder))
    walked = History(file)
    walked.walk(groups=groups)
    return walked, dealt(walked, groups, setting(walked, *folders, **files), most)


def alone(file: Path, *folders: Sequence[Edition], **files: Path) -> BacktestReport:
    walked = History(file)
    walked.walk()
    whole = setting(walked, *folders, **files)
    return report_of_run(walked, whole, run(walked, whole, lambda _: None), ASSUMED)


def in_shares(file: Path, *folders: Sequence[Edition], **files: Path) -> BacktestReport:
    """Each share in turn, in this process."""
    walked, shares = shares_of(file, folders, 4, **files)
    assert len(shares) > 1
    first, *others = (run(one.history, one.setting, lambda _: None, one.mine) for one in shares)
    for other in others:
        first += other
    return report_of_run(walked, shares[0].setting, first, ASSUMED)


def written(tmp_path: Path, lines: Sequence[str]) -> Path:
    file = tmp_path / "history.ndjson"
    file.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return file


@pytest.mark.parametrize("editions", [ALL, EVERY_USER], ids=["all", "every user"])
@pytest.mark.parametrize("first", [0, 6, 12])
def test_shares_add_up_to_the_whole(tmp_path: Path, first: int, editions: list[Edition]) -> None:
    lines = of_seeds(range(first, first + 6))
    row = {"type": "purchase.completed", "occurred_at": BEGINS.isoformat(), "contact": f"c{first}x1"}
    file = written(tmp_path, [*lines[:50], "{", *lines[50:], lines[60], '{"type": "x"}', json.dumps(row)])
    found = in_shares(file, editions, ALL[:4])
    assert found == alone(file, editions, ALL[:4])
    assert found.source.repeated == 1
    assert [one.line for one in found.problems] == [51, len(lines) + 3]
    assert found.sets[0].invited > 50


def test_processes_find_what_one_finds(tmp_path: Path) -> None:
    file = written(tmp_path, of_seeds(range(4)))
    walked, shares = shares_of(file, [ALL], 2)
    told: list[int] = []
    found = report_of_run(walked, shares[0].setting, run_apart(shares, told.append), ASSUMED)
    assert len(shares) == 2
    assert found == alone(file, ALL)
    assert told == sorted(told)


def test_rows_of_accounts_and_contacts_go_where_their_people_are(tmp_path: Path) -> None:
    file = written(tmp_path, of_seeds(range(4)))
    contacts, accounts = tmp_path / "contacts.csv", tmp_path / "accounts.csv"
    rows = [f"c{seed}x{n},new{n}@kund{seed}.example,a{seed}x1" for seed in range(4) for n in range(9)]
    contacts.write_text("\n".join(["id,email,account", *rows, "c9,", "one,two,three,four"]) + "\n")
    accounts.write_text("\n".join(["id,tier", *(f"a{seed}x1,key" for seed in range(5)), "a9,odd"]) + "\n")
    found = in_shares(file, ALL, contacts=contacts, accounts=accounts)
    assert found == alone(file, ALL, contacts=contacts, accounts=accounts)
    assert [one.reason for one in found.problems] != []


# --- what ties ------------------------------------------------------------------------------------------


def heard(number: int, kind: str = "x.y", **told: Any) -> Heard:
    people = [
        Words(**{"id": "", "email": "", "phone": "", "ref": "", **one}) for one in told.pop("people", ())
    ]
    return Heard(kind, "/crm", f"e{number}", BEGINS + timedelta(days=number), people, **told)


def apart(*events: Heard, editions: Sequence[Edition] = ALL) -> int:
    groups = Groups(Bonds.of(editions))
    nodes = [groups.join(one) for one in events]
    return len(set(groups.shares(nodes, 10).values()))


ANNA, BO, ADDRESS = {"id": "anna"}, {"id": "bo"}, {"email": "a@x.example "}
TICKET, RELEASE = ("ticket", "1"), ("release", "1")


@pytest.mark.parametrize(
    ("events", "shares"),
    [
        ([heard(1, people=[ANNA]), heard(2, people=[BO])], 2),
        ([heard(1, people=[ANNA]), heard(2, people=[BO]), heard(3, people=[ANNA, BO])], 1),
        ([heard(1, people=[ANNA], account="a"), heard(2, people=[BO], account=" a")], 1),
        ([heard(1, account="a"), heard(2, account="b"), heard(3, merged=["a", "b"])], 1),
        ([heard(1, people=[{"id": "1", "email": "A@x.example"}]), heard(2, people=[ADDRESS])], 1),
        ([heard(1, account="a", subject=TICKET), heard(2, account="b", subject=TICKET)], 1),
        ([heard(1, account="a", subject=RELEASE), heard(2, account="b", subject=RELEASE)], 2),
        ([heard(1, account="a"), heard(1, account="b")], 1),
        ([heard(1, account="a"), heard(2, account="b"), heard(3, product="Press")], 2),
        ([heard(1, account="a"), heard(2, account="b"), heard(3, "feature.released", account="b")], 1),
        ([heard(1, people=[ANNA], product="Press"), heard(2, people=[BO], product="Press")], 1),
        (
            [
                heard(1, people=[ANNA], account="a"), heard(2, people=[ANNA], product="Press"),
                heard(3, people=[BO], account="b", product="Press"), heard(4, people=[BO], product="Press"),
            ],
            2,
        ),
    ],
    ids=[
        "strangers", "named together", "one account", "merged accounts", "one address", "one ticket",
        "one release", "one id of an event", "an event that names nobody",
        "an audience of a product at an account", "an audience of people without account",
        "an audience of people with accounts",
    ],
)  # fmt: skip
def test_whatever_is_named_together_is_decided_together(events: Sequence[Heard], shares: int) -> None:
    assert apart(*events) == shares


def test_what_no_programme_looks_at_ties_nothing() -> None:
    ours = [heard(1, account="a", subject=TICKET), heard(2, account="b", subject=TICKET)]
    assert apart(*ours, editions=ALL[:1]) == 2


def test_counting_by_product_ties_all_who_use_it() -> None:
    nth = edition_of(
        definition(key="nth", when={"touchpoint": "x.y", "per": "product", "nth": 3, "fresh_for": "9d"})
    )
    events = [heard(1, account="a", product="Press"), heard(2, account="b", product="Press")]
    assert (apart(*events), apart(*events, editions=[nth])) == (2, 1)


def test_an_event_that_names_nobody_is_tied_to_nothing() -> None:
    groups = Groups(Bonds.of(ALL))
    assert groups.join(heard(1, product="Press", subject=RELEASE)) == NOTHING
