"""Escalation policies in words are what the clocks really do."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from services.alerts.domain import policies
from services.alerts.domain import ticket as life
from services.alerts.domain.clocks import SHARE
from services.alerts.domain.matching import Match
from services.alerts.domain.model import Owner
from services.alerts.domain.rota import Rota
from services.alerts.domain.routing import Member, Rank, Staff, recipients
from services.alerts.domain.teams import read_roster
from shared.runtime.ids import derive
from tests.support.alerts import HOUR, T0, answer

FILE = """
teams:
  product:
    name: Product
    manager: mia@x.test
    leadership: [leo@x.test]
    fall_back: care
    rota: [{people: [pat@x.test], first: 2026-01-05}]
  care:
    name: Care
    rota: []
routes:
  - name: exports
    when: {programme: [usability], attributes: {area: [export, reports]}}
    team: product
    also: [manager]
  - {when: {region: [emea]}, repeated: {cases: 2}, team: care}
"""


def staff() -> Staff:
    people = (("pat", Rank.REP), ("mia", Rank.MANAGER), ("leo", Rank.VIEWER), ("ada", Rank.ADMIN))
    members = tuple(Member(derive("user", n), f"{n}@x.test", n.title(), rank) for n, rank in people)
    roster = read_roster(FILE).value
    assert roster is not None
    return Staff(members, Rota((derive("user", "ada"),), date(2026, 1, 5)), roster=roster)


@pytest.mark.requirement("R72")
def test_the_steps_name_whom_the_clocks_tell() -> None:
    everybody = staff()
    team = everybody.team("product")
    steps = policies.steps(team, everybody, ("slack",))
    times = [step.after for step in steps]
    assert times == ["at once", "after 12 h", "after 24 h", "after 2 d", "after 14 d"]
    assert "managers: Mia" in steps[2].told
    assert "leadership: Leo" in steps[3].told
    assert "the team's room (slack)" in steps[0].told
    pat = Owner(derive("user", "pat"), "is on call")
    case = life.open_(answer("r1", team="product"), derive("ticket", "t"), pat).ticket
    for step, share in zip(steps[1:4], SHARE.values(), strict=True):
        rung = life.ring(case, T0 + 24 * HOUR * share)
        case = rung.ticket
        (tell,) = rung.tells
        told = {one.to for one in recipients(tell, case, everybody, ())}
        names = {member.name for member in everybody.members if str(member.user_id) in told}
        written = "; ".join(step.told)
        assert "the owner of the case" in written
        assert {m.name for m in everybody.members if m.name in written} == names - {"Pat"}, step


@pytest.mark.requirement("R72")
def test_without_a_room_none_is_named_and_stand_ins_are_in_their_order() -> None:
    everybody = staff()
    steps = policies.steps(everybody.team(), everybody, ())
    assert not any("room" in who for step in steps for who in step.told)
    assert policies.instead(everybody.team("product"), everybody, T0 + timedelta(days=1)) == (
        "Product: Pat now",
        "Care: nobody now",
        "the rota that everybody shares: Ada now",
        "managers: Mia",
    )


@pytest.mark.requirement("R72")
def test_the_steps_while_nobody_takes_a_case_name_who_it_would_be_now() -> None:
    everybody = staff()
    usual = policies.untaken(everybody.team("product"), everybody, ("slack",), T0)
    assert [(step.after, step.told) for step in usual] == [
        ("after 15 min", ("next on call: Ada now",)),  # the shared rota's, as Product has nobody else
        ("after 30 min", ("manager: Mia",)),
    ]
    assert policies.rules_of(everybody.team("product"), everybody) == (
        "These steps are for urgent cases.",
        "All steps are gone through once more, each 30 min later.",
        "When a step reaches nobody, others are told instead: manager, else leadership, else all managers.",
    )


@pytest.mark.requirement("R72")
def test_every_word_of_a_policy_is_said() -> None:
    roster = read_roster(
        FILE
        + "escalation: {steps: [{after: 1h, tell: [owner, on_call, room, slack, leo@x.test, zoe@x.test]}],"
        " repeat: 3, fall_back: [leo@x.test], priority: high}"
    ).value
    assert roster is not None
    everybody = replace(staff(), roster=roster)
    (step,) = policies.untaken(everybody.team("product"), everybody, ("slack:product",), T0)
    assert step.told == (
        "the owner of the case",
        "on call: Pat now",
        "the team's room (slack, its own)",
        "the team's room (slack, its own)",
        "Leo",
        "zoe@x.test (no active user)",
    )
    assert policies.rules_of(everybody.team("product"), everybody) == (
        "These steps are for cases of high or urgent priority.",
        "All steps are gone through 3 times more, each 1 h later.",
        "When a step reaches nobody, others are told instead: Leo, else all managers.",
    )
    none = replace(everybody, roster=read_roster("escalation: {steps: []}").value or everybody.roster)
    assert policies.untaken(none.team(), none, (), T0) == ()
    assert policies.rules_of(none.team(), none) == ()


@pytest.mark.requirement("R80")
def test_routes_say_what_they_look_for() -> None:
    everybody = staff()
    (found,) = policies.routes(everybody.team("product"), everybody.roster.routes)
    assert (found.name, found.also) == ("exports", ("manager",))
    assert found.looks_for == "programme usability, area export or reports"
    (other,) = policies.routes(everybody.team("care"), everybody.roster.routes)
    assert (other.name, other.looks_for) == (
        "route 2",
        "region emea, after 2 or more cases within 90 days before",
    )
    assert policies.looks_for(Match()) == "every case"
