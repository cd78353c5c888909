"""Traces of gateways as they were seen in the field, and of people beside them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.collector.domain.agents import Agent, agent_of, agent_on_page
from services.collector.domain.evidence import Evidence
from services.collector.domain.verdict import Observation, Sent, Sighting, Surroundings, burst_around, judge
from shared.contracts.responses import Verdict

T = datetime(2026, 3, 3, 10, 0, tzinfo=UTC)
PERSON, GATEWAY = "person", "gateway"


def at(seconds: float) -> datetime:
    return T + timedelta(seconds=seconds)


def opened(seconds: float, score: int | None = None, address: str = GATEWAY) -> Observation:
    return Observation(at(seconds), Sighting.OPENED, address, Agent.BROWSER, score)


def head(seconds: float, score: int | None = None, address: str = GATEWAY) -> Observation:
    return Observation(at(seconds), Sighting.HEAD, address, Agent.BROWSER, score)


def trap(seconds: float, address: str = GATEWAY) -> Observation:
    return Observation(at(seconds), Sighting.TRAP, address)


def sent(seconds: float, rendered: float | None, address: str = PERSON, *, words: bool = False) -> Sent:
    """From a page without a style sheet of its own; that one has its own tests below."""
    return Sent(at(seconds), address, None if rendered is None else at(rendered), words=words, styled=False)


def styled(seconds: float, address: str = PERSON, page: float = 0) -> Observation:
    return Observation(at(seconds), Sighting.STYLED, address, page=at(page))


ALL_LINKS = [opened(0.1 * score, score) for score in range(11)]
SAFE_LINKS = [head(0, 3), opened(0.2, 3, "gateway2"), opened(0.4, 7, "gateway3"), head(0.5, 7)]

MACHINES = [
    pytest.param(
        ALL_LINKS, sent(3, 0.5, GATEWAY), Evidence.ALL_SCORES_OPENED,
        id="opens all links, presses the button",
    ),
    pytest.param(
        ALL_LINKS, sent(25, 0.5, GATEWAY), Evidence.ALL_SCORES_OPENED,
        id="the same, button pressed late",
    ),
    pytest.param(
        ALL_LINKS, sent(9, 0.5, "other"), Evidence.ALL_SCORES_OPENED,
        id="button pressed from elsewhere",
    ),
    pytest.param(
        SAFE_LINKS, sent(4, 0.4, "gateway3"), Evidence.SEVERAL_SCORES_OPENED,
        id="two scores in a second",
    ),
    pytest.param(
        [opened(0, 2, "a"), opened(9, 8, "b")], sent(15, 9, "b"), Evidence.SEVERAL_SCORES_OPENED,
        id="two scores within ten seconds from two addresses",
    ),
    pytest.param(
        [opened(0, 9)], sent(0.4, 0, GATEWAY), Evidence.TOO_FAST,
        id="sent before a page can be seen",
    ),
    pytest.param(
        [opened(0, 9), trap(1)], sent(5, 0, GATEWAY), Evidence.TRAP_OPENED,
        id="trap in the burst",
    ),
    pytest.param(
        [opened(0, 9), trap(60, "x")], sent(50, 0, "x"), Evidence.TRAP_OPENED,
        id="trap by its own address",
    ),
]  # fmt: skip

PEOPLE = [
    pytest.param([], sent(30, 0), id="nobody else came"),
    pytest.param([opened(0, 9, PERSON)], sent(3, 0), id="score clicked, button pressed"),
    pytest.param(
        [*ALL_LINKS, trap(1), opened(600, 3, PERSON)], sent(605, 600), id="ten minutes after the gateway"
    ),
    pytest.param([*SAFE_LINKS, opened(600, 3, PERSON)], sent(602, 600), id="ten minutes after two scores"),
    pytest.param(
        [head(0, 9), opened(0.3, 9), opened(2, 9, PERSON)], sent(8, 2), id="the link is scanned at the click"
    ),
    pytest.param(
        [opened(0, 3, PERSON), opened(4, 9, PERSON)], sent(20, 4, words=True), id="wrong score tapped first"
    ),
    pytest.param([opened(0, 9, PERSON), opened(8, None, PERSON)], sent(15, 8), id="page read again"),
    pytest.param([opened(0, 9, PERSON)], sent(5000, 0), id="tab left open"),
]


@pytest.mark.requirement("R54")
@pytest.mark.parametrize(("seen", "answer", "reason"), MACHINES)
def test_a_scanner_is_held_with_its_reason(seen: list[Observation], answer: Sent, reason: Evidence) -> None:
    judgement = judge(answer, Surroundings(seen))
    assert judgement.verdict is Verdict.MACHINE
    assert reason in judgement.evidence


@pytest.mark.parametrize(("seen", "answer"), PEOPLE)
def test_a_person_counts(seen: list[Observation], answer: Sent) -> None:
    judgement = judge(answer, Surroundings(seen, (at(-60),)))
    assert judgement.verdict is Verdict.HUMAN


@pytest.mark.parametrize(
    ("handed_over", "rendered", "verdict"),
    [
        pytest.param((0,), 4.9, Verdict.UNCLEAR, id="five seconds after the mail left, nobody has read it"),
        pytest.param((0,), 5, Verdict.HUMAN, id="just long enough"),
        pytest.param((0,), -3, Verdict.UNCLEAR, id="before the mail was said to be taken"),
        pytest.param((0, 400), 402, Verdict.UNCLEAR, id="right after the reminder"),
        pytest.param((0, 400), 300, Verdict.HUMAN, id="between mail and reminder"),
        pytest.param((), 0, Verdict.HUMAN, id="hand-over unknown"),
    ],
)
def test_a_click_right_after_the_hand_over_is_unclear(
    handed_over: tuple[int, ...], rendered: float, verdict: Verdict
) -> None:
    around = Surroundings([opened(rendered, 9, PERSON)], [at(moment) for moment in handed_over])
    assert judge(sent(rendered + 4, rendered), around).verdict is verdict


def test_a_field_that_nobody_sees_gives_a_machine_away() -> None:
    answer = Sent(at(60), PERSON, at(0), honeypot=True, words=True, styled=False)
    assert judge(answer, Surroundings()).verdict is Verdict.MACHINE


def test_a_front_end_of_the_company_needs_no_browser_but_a_page_does() -> None:
    assert judge(Sent(at(0), PERSON, None, Agent.TOOL), Surroundings()).evidence == ()
    assert judge(page(Agent.TOOL), Surroundings([styled(0)])).evidence == (Evidence.NAMED_TOOL,)
    assert judge(page(Agent.NONE), Surroundings([styled(0)])).evidence == (Evidence.NO_BROWSER,)


def page(agent: Agent, *, words: bool = False) -> Sent:
    return Sent(at(30), PERSON, at(0), agent, words=words)


@pytest.mark.parametrize(
    ("loaded", "verdict"),
    [
        pytest.param([styled(0.3)], Verdict.HUMAN, id="by the browser that sent"),
        pytest.param([styled(0.3, "elsewhere")], Verdict.HUMAN, id="by its other address"),
        pytest.param([styled(-4)], Verdict.HUMAN, id="seen by a process whose clock is behind"),
        pytest.param([styled(5, page=5)], Verdict.MACHINE, id="of another page, by whoever came later"),
        pytest.param([], Verdict.MACHINE, id="by nobody"),
    ],
)
def test_who_claims_to_be_a_browser_loads_the_page_s_style_sheet(
    loaded: list[Observation], verdict: Verdict
) -> None:
    assert judge(page(Agent.BROWSER), Surroundings(loaded)).verdict is verdict


def test_words_and_patience_do_not_replace_a_browser() -> None:
    assert judge(page(Agent.BROWSER, words=True), Surroundings()).verdict is Verdict.UNCLEAR
    assert judge(page(Agent.DRIVEN, words=True), Surroundings([styled(0)])).verdict is Verdict.UNCLEAR


@pytest.mark.parametrize("agent", [Agent.TEXT, Agent.TOUCHED])
def test_a_text_browser_needs_no_style_sheet_and_elsewhere_it_may_get_lost(agent: Agent) -> None:
    assert judge(page(agent), Surroundings()).verdict is Verdict.HUMAN


@pytest.mark.parametrize(
    ("hand", "agent"),
    [("", Agent.BROWSER), ("touched", Agent.TOUCHED), ("none", Agent.DRIVEN), ("driven", Agent.DRIVEN)],
)
def test_a_page_that_nobody_touched_was_sent_by_a_program(hand: str, agent: Agent) -> None:
    assert agent_on_page(Agent.BROWSER, hand) is agent


ONE_BY_ONE = [opened(15.0 * score, score) for score in range(11)]


def test_a_patient_scanner_is_known_by_the_third_score() -> None:
    late = sent(32, 30, GATEWAY)
    assert judge(late, Surroundings(ONE_BY_ONE[:2])).evidence == ()
    assert judge(late, Surroundings(ONE_BY_ONE[:3])).evidence == (Evidence.SCORES_ONE_BY_ONE,)
    person = [*ONE_BY_ONE, opened(300, 9, PERSON)]
    assert judge(sent(310, 300), Surroundings(person)).verdict is Verdict.HUMAN


def test_a_burst_from_the_office_of_a_person_is_no_patience() -> None:
    seen = [*ALL_LINKS, opened(200, 9, GATEWAY)]
    assert judge(sent(205, 200, GATEWAY), Surroundings(seen)).verdict is Verdict.HUMAN


def test_a_slip_of_the_thumb_without_a_word_is_unclear() -> None:
    seen = [opened(0, 3, PERSON), opened(4, 9, PERSON)]
    assert judge(sent(6, 4), Surroundings(seen)).verdict is Verdict.UNCLEAR


@pytest.mark.parametrize(
    ("pause", "evidence"), [(4, Evidence.TWO_SCORES_OPENED), (0.5, Evidence.ALL_SCORES_OPENED)]
)
def test_of_yes_and_no_a_slip_is_not_all_that_there_is_but_haste_is(pause: float, evidence: Evidence) -> None:
    seen = [opened(0, 0, PERSON), opened(pause, 1, PERSON)]
    found = judge(sent(30, 1), Surroundings(seen, scores=2)).evidence
    assert evidence in found
    assert {Evidence.TWO_SCORES_OPENED, Evidence.ALL_SCORES_OPENED} & set(found) == {evidence}


@given(st.lists(st.floats(min_value=0, max_value=100), max_size=30), st.floats(min_value=-20, max_value=120))
def test_a_burst_has_no_pause_and_holds_its_moment(moments: list[float], moment: float) -> None:
    seen = [opened(one) for one in sorted(moments)]
    burst = burst_around(seen, at(moment))
    gaps = [later.at - earlier.at for earlier, later in pairwise(burst)]
    assert all(gap <= timedelta(seconds=10) for gap in gaps)
    near = [one for one in seen if abs((one.at - at(moment)).total_seconds()) <= 10]
    assert bool(burst) == bool(near)


@given(st.permutations([*ALL_LINKS, trap(3), opened(700, 4, PERSON)]))
def test_the_order_of_stored_rows_does_not_matter(seen: list[Observation]) -> None:
    assert judge(sent(710, 700), Surroundings(seen)).verdict is Verdict.HUMAN
    assert judge(sent(5, 1, GATEWAY), Surroundings(seen)).verdict is Verdict.MACHINE


@pytest.mark.parametrize(
    ("name", "agent"),
    [
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) AppleWebKit/605.1.15", Agent.BROWSER),
        ("Mozilla/5.0 (compatible; BarracudaCentral)", Agent.TOOL),
        ("python-requests/2.31", Agent.TOOL),
        ("Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)", Agent.TOOL),
        (
            "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 HeadlessChrome/120.0.0.0 Safari/537.36",
            Agent.TOOL,
        ),
        ("Mozilla/5.0 (Linux; Android 11; CUBOT NOTE 20) AppleWebKit/537.36 Chrome/120.0", Agent.BROWSER),
        ("Mozilla/5.0 (Linux; Android 10; ScanPal EDA51) AppleWebKit/537.36 Chrome/120.0", Agent.BROWSER),
        ("Lynx/2.9.0dev.10 libwww-FM/2.14 SSL-MM/1.4.1", Agent.TEXT),
        ("w3m/0.5.3+git20230121", Agent.TEXT),
        ("WhatsApp/2.23.20.0", Agent.NONE),
        ("  ", Agent.NONE),
    ],
)
def test_only_the_class_of_an_agent_is_kept(name: str, agent: Agent) -> None:
    assert agent_of(name) is agent
