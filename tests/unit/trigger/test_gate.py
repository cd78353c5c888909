"""The gate: each rule on both sides of its boundary, and their order."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from services.trigger.domain.arbitration import rival_of
from services.trigger.domain.facts import Brakes, Rival
from services.trigger.domain.gate import decide
from services.trigger.domain.model import AskState, Hold, Reach
from services.trigger.domain.reminder_gate import decide_reminder
from services.trigger.domain.timing import Span
from services.trigger.domain.when import HoldKind
from shared.contracts.directory import Consent
from shared.contracts.model import Family, Persona
from shared.contracts.programmes import ProgrammeState
from shared.contracts.reasons import Reason
from tests.support.changed import replace
from tests.unit.trigger.support import ACME, ANNA, NOW, ask, edition, facts, plan

PLAIN = edition()
DAY = timedelta(days=1)


def outcome(of: Any = PLAIN, given_facts: Any = None, **changes: Any) -> tuple[str, str, datetime | None]:
    found = decide(plan(of, **changes), of, given_facts or facts())
    return found.outcome.value, str(found.reason or ""), found.until


def anna(**changes: Any) -> dict[str, Any]:
    return {"contacts": {ANNA.id: replace(ANNA, **changes)}}


def test_nothing_against_it() -> None:
    assert outcome() == ("requested", "", None)


@pytest.mark.parametrize(
    ("contact", "reason"),
    [
        ({"erased_at": NOW}, "erased"),
        ({"opted_out_at": NOW}, "opted_out"),
        ({"opted_out_of": ("delivery-csat",)}, "opted_out"),
        ({"consent": Consent.WITHDRAWN}, "opted_out"),
        ({"reach": Reach.INVALID}, "invalid_address"),
        ({"reach": Reach.NONE}, "no_channel"),
        ({"bounced_at": NOW}, "bounced"),
    ],
)
def test_people_who_are_never_asked(contact: dict[str, Any], reason: str) -> None:
    assert outcome(given_facts=facts(**anna(**contact)))[:2] == ("suppressed", reason)


def test_another_programmes_opt_out_does_not_count() -> None:
    assert outcome(given_facts=facts(**anna(opted_out_of=("other",))))[0] == "requested"


def test_a_contact_that_nobody_knows_any_more_counts_as_erased() -> None:
    assert outcome(given_facts=facts(contacts={}))[1] == "erased"


@pytest.mark.parametrize(("consent", "expected"), [(Consent.GIVEN, ""), (Consent.UNKNOWN, "no_consent")])
def test_opt_in_asks_only_who_agreed(consent: Consent, expected: str) -> None:
    of = edition(consent="opt_in")
    assert outcome(of, facts(**anna(consent=consent)))[1] == expected


def test_nobody_of_the_own_company_is_asked() -> None:
    assert outcome(given_facts=facts(own_domains=frozenset({"kund"})))[1] == "own_company"


def test_whether_another_channel_than_mail_reaches_somebody_is_for_dispatch_to_say() -> None:
    without = facts(**anna(reach=Reach.NONE))
    assert outcome(edition(send__channels=["email"]), without)[1] == "no_channel"
    assert outcome(edition(send__channels=["email", "sms"]), without)[1] == ""


@pytest.mark.parametrize(
    "brakes",
    [
        Brakes(all_sending=True),
        Brakes(programmes=frozenset({"delivery-csat"})),
        Brakes(accounts=frozenset({ACME.id})),
    ],
)
def test_the_brake_defers_while_fresh(brakes: Brakes) -> None:
    stale = NOW + 3 * DAY
    assert outcome(given_facts=facts(brakes=brakes)) == ("deferred", "paused", stale)
    late = facts(now=stale, brakes=brakes)
    assert outcome(given_facts=late)[:2] == ("suppressed", "paused")


def test_a_programme_that_is_paused_or_in_shadow() -> None:
    assert outcome(replace(PLAIN, state=ProgrammeState.PAUSED))[:2] == ("deferred", "paused")
    assert outcome(replace(PLAIN, state=ProgrammeState.SHADOW), shadow=True)[:2] == ("shadow", "shadow")


@pytest.mark.parametrize(
    ("hold", "held"),
    [
        pytest.param(Hold(HoldKind.DETRACTOR_TICKET, "t", contact_id=ANNA.id), True, id="own ticket"),
        pytest.param(
            Hold(HoldKind.DETRACTOR_TICKET, "t", contact_id=UUID(int=9)), False, id="another's ticket"
        ),
        pytest.param(
            Hold(HoldKind.INCIDENT, "i", account_id=ACME.id), False, id="not a hold of this programme"
        ),
    ],
)
def test_holds(hold: Hold, held: bool) -> None:
    found = outcome(given_facts=facts(holds=[hold]))
    assert found[:2] == (("deferred", "held") if held else ("requested", ""))
    of = edition(when__hold_while=["incident"])
    account_wide = facts(holds=[Hold(HoldKind.INCIDENT, "i", account_id=ACME.id)])
    assert outcome(of, account_wide)[:2] == ("deferred", "held")


@pytest.mark.parametrize(
    ("late", "expected"), [(timedelta(0), "suppressed"), (timedelta(seconds=-1), "requested")]
)
def test_freshness_at_its_edge(late: timedelta, expected: str) -> None:
    assert outcome(given_facts=facts(now=NOW + 3 * DAY + late))[0] == expected


@pytest.mark.parametrize(
    ("waited", "reason"),
    [
        (None, "expired"),
        (Reason.SEND_WINDOW, "expired"),
        (Reason.HELD, "held"),
        (Reason.OUTRANKED, "outranked"),
    ],
)
def test_an_expired_moment_says_what_it_waited_for(waited: Reason | None, reason: str) -> None:
    found = outcome(given_facts=facts(now=NOW + 3 * DAY), waits_for=waited)
    assert found[:2] == ("suppressed", reason)


@pytest.mark.requirement("R53")
@pytest.mark.parametrize(
    ("days_ago", "expected"),
    [
        pytest.param(14, ("requested", "", None), id="as it ends"),
        pytest.param(13.999, ("deferred", "quarantined", NOW + 0.001 * DAY), id="just before: wait"),
        pytest.param(11.5, ("deferred", "quarantined", NOW + 2.5 * DAY), id="inside freshness: wait"),
        pytest.param(11, ("suppressed", "quarantined", None), id="beyond freshness: not at all"),
    ],
)
def test_quarantine_at_its_edges(days_ago: float, expected: tuple[str, str, datetime | None]) -> None:
    assert outcome(given_facts=facts(asks=[ask(days_ago=days_ago)])) == expected


def test_a_released_or_anothers_ask_does_not_count() -> None:
    asks = [ask(1, released_at=NOW), ask(2, state=AskState.CANCELLED), ask(3, contact_id=UUID(int=7))]
    assert outcome(given_facts=facts(asks=asks))[0] == "requested"


def test_a_family_may_have_a_longer_quarantine() -> None:
    of = edition(quarantine={"contact": "1d", "family": "30d"})
    assert outcome(of, facts(asks=[ask(days_ago=20)]))[1] == "quarantined"
    assert outcome(of, facts(asks=[ask(days_ago=20, family=Family.RELATIONSHIP)]))[0] == "requested"


@pytest.mark.requirement("R78")
def test_an_exempt_programme_is_not_held_back() -> None:
    of = edition(quarantine={"contact": "14d", "exempt": True, "account": {"max": 1, "per": "30d"}})
    assert outcome(of, facts(asks=[ask(), ask(2)]))[0] == "requested"


@pytest.mark.parametrize(
    ("ages", "expected"),
    [
        pytest.param([1], ("requested", ""), id="one below"),
        pytest.param([1, 5], ("suppressed", "account_budget"), id="full"),
        pytest.param([1, 29], ("deferred", "account_budget"), id="a place within freshness"),
        pytest.param([1, 30], ("requested", ""), id="the oldest has just left"),
    ],
)
def test_account_budget(ages: list[float], expected: tuple[str, str]) -> None:
    of = edition(quarantine={"contact": "1d", "account": {"max": 2, "per": "30d"}})
    asks = [ask(n, days_ago=age, contact_id=UUID(int=50 + n)) for n, age in enumerate(ages)]
    assert outcome(of, facts(asks=asks))[:2] == expected


def rival(priority: int, days: float, *, exempt: bool = False) -> dict[str, Any]:
    one = Rival(UUID(int=77), "renewal", priority, NOW + days * DAY, Span(days=14), exempt=exempt)
    return {"rivals": {ANNA.id: [one]}}


@pytest.mark.parametrize(
    ("facts_", "expected"),
    [
        pytest.param(rival(51, 13.9), "outranked", id="more important, would be quarantined"),
        pytest.param(rival(51, 14), "", id="more important, but late enough"),
        pytest.param(rival(50, 1), "", id="as important"),
        pytest.param(rival(51, 1, exempt=True), "", id="an exempt one does not mind"),
    ],
)
def test_arbitration(facts_: dict[str, Any], expected: str) -> None:
    assert outcome(given_facts=facts(**facts_))[1] == expected


@pytest.mark.requirement("R53")
@pytest.mark.parametrize(
    ("family", "days", "expected"),
    [
        pytest.param(Family.TRANSACTIONAL, 59, "outranked", id="its own family would hold it back"),
        pytest.param(Family.TRANSACTIONAL, 60, "", id="not any more by then"),
        pytest.param(Family.RELATIONSHIP, 59, "", id="another family does not"),
        pytest.param(Family.RELATIONSHIP, 13, "outranked", id="the person's quarantine counts all families"),
    ],
)
def test_a_small_question_does_not_use_up_the_family_of_a_more_important_one(
    family: Family, days: float, expected: str
) -> None:
    one = Rival(
        UUID(int=77), "renewal", 90, NOW + days * DAY, Span(days=14), family=family, apart=Span(days=60)
    )
    assert outcome(given_facts=facts(rivals={ANNA.id: [one]}))[1] == expected


@pytest.mark.requirement("R53")
@pytest.mark.parametrize(
    ("contact", "opt_in", "expected"),
    [
        pytest.param({}, False, "outranked", id="they said nothing"),
        pytest.param({"opted_out_of": ("renewal",)}, False, "", id="no to the other one"),
        pytest.param({"opted_out_of": ("other",)}, False, "outranked", id="no to a third one"),
        pytest.param({}, True, "", id="the other asks only who said yes"),
        pytest.param({"consent": Consent.GIVEN}, True, "outranked", id="which they did"),
    ],
)
def test_nobody_waits_for_a_question_that_is_not_wanted(
    contact: dict[str, Any], opt_in: bool, expected: str
) -> None:
    one = Rival(
        UUID(int=77), "renewal", 90, NOW + DAY, Span(days=14), family=Family.TRANSACTIONAL, opt_in=opt_in
    )
    found = outcome(given_facts=facts(**anna(**contact), rivals={ANNA.id: [one]}))
    assert found[1] == expected


def test_who_waits_for_one_of_the_family_waits_until_their_own_family_is_free() -> None:
    of = edition(quarantine={"contact": "1d", "family": "2d"})
    for family, days in ((Family.TRANSACTIONAL, 2.5), (Family.RELATIONSHIP, 1.5)):
        one = Rival(UUID(int=77), "renewal", 90, NOW + DAY / 2, Span(days=14), family=family)
        assert outcome(of, facts(rivals={ANNA.id: [one]}))[2] == NOW + days * DAY


def test_an_unresolved_audience_is_foreseen_as_far_as_its_family_reaches() -> None:
    wide = edition(
        key="renewal",
        audience={"who": "account"},
        priority=90,
        quarantine={"contact": "14d", "family": "60d"},
    )
    audience = plan(wide, contact_id=None, due_at=NOW + 50 * DAY)
    found = rival_of(audience, plan(PLAIN), wide, facts(**anna(account_id=ACME.id)))
    assert found is not None
    assert (found.family, found.apart) == (Family.TRANSACTIONAL, Span(days=60))


def test_the_outranked_waits_inside_its_freshness() -> None:
    assert outcome(given_facts=facts(**rival(90, 1)))[2] == NOW + 3 * DAY
    of = edition(quarantine={"contact": "1d"})
    assert outcome(of, facts(**rival(90, 1)))[2] == NOW + 2 * DAY


def test_an_unresolved_audience_is_a_rival_of_those_who_will_be_in_it() -> None:
    renewal = edition(key="renewal", audience={"who": "account", "persona": ["decision_maker"]}, priority=90)
    audience = plan(renewal, contact_id=None)
    boss = facts(**anna(persona=Persona.DECISION_MAKER, account_id=ACME.id))
    user = facts(**anna(persona=Persona.USER, account_id=ACME.id))
    assert rival_of(audience, plan(PLAIN), renewal, boss) is not None
    assert rival_of(audience, plan(PLAIN), renewal, user) is None
    boss.brakes = Brakes(all_sending=True)
    assert rival_of(audience, plan(PLAIN), renewal, boss) is None


def test_the_send_window_defers_or_expires() -> None:
    office = {"days": ["tue"], "hours": "09:30-16:00"}
    assert outcome(edition(send__window=office))[0] == "requested"
    evening = datetime(2026, 3, 3, 18, tzinfo=UTC)
    soon = {**office, "days": ["tue", "thu"]}
    found = outcome(edition(send__window=soon), facts(now=evening))
    assert found == ("deferred", "send_window", datetime(2026, 3, 5, 8, 30, tzinfo=UTC))
    assert outcome(edition(send__window=office), facts(now=evening))[0] == "requested"
    strict = {**office, "outside_before_stale": False}
    assert outcome(edition(send__window=strict), facts(now=evening))[:2] == ("suppressed", "expired")


ORDER = [
    "opted_out",
    "paused",
    "held",
    "expired",
    "bounced",
    "account_budget",
    "quarantined",
    "outranked",
    "requested",
]


@pytest.mark.parametrize("first", range(len(ORDER)))
def test_the_first_rule_that_applies_decides(first: int) -> None:
    """With every rule from the n-th on broken, the n-th gives the reason."""
    of = edition(quarantine={"contact": "14d", "account": {"max": 1, "per": "30d"}})
    contact = replace(ANNA, opted_out_at=NOW if first <= 0 else None, bounced_at=NOW if first <= 4 else None)
    given_facts = facts(
        now=NOW,
        contacts={ANNA.id: contact},
        brakes=Brakes(all_sending=first <= 1),
        holds=[Hold(HoldKind.DETRACTOR_TICKET, "t", contact_id=ANNA.id)] if first <= 2 else [],
        asks=([ask(1, contact_id=UUID(int=5))] if first <= 5 else [])
        + ([ask(2, account_id=None)] if first <= 6 else []),
        rivals=rival(90, 1)["rivals"] if first <= 7 else {},
    )
    found = decide(plan(of, stale_at=NOW if first <= 3 else NOW + 3 * DAY), of, given_facts)
    assert (found.reason or found.outcome) == ORDER[first]


def test_every_decision_carries_its_identity_and_no_personal_data() -> None:
    found = decide(plan(PLAIN), PLAIN, facts(asks=[ask()]))
    assert (found.plan_id, found.contact_id, found.account_id) == (plan(PLAIN).id, ANNA.id, ACME.id)
    assert found.inputs["by"] == "other"


def reminder(given_facts: Any = None, of: Any = PLAIN, **changes: Any) -> tuple[str, str, datetime | None]:
    base: dict[str, Any] = {"programme": of.key, "version": of.version, "days_ago": 4}
    found = decide_reminder(ask(**{**base, **changes}), of, given_facts or facts())
    return found.outcome.value, str(found.reason or ""), found.until


@pytest.mark.requirement("R49")
def test_a_reminder_goes_out_to_who_has_not_answered() -> None:
    assert reminder(facts(asks=[ask(days_ago=4)])) == ("requested", "", None)


@pytest.mark.parametrize(
    ("changes", "facts_", "expected"),
    [
        ({"state": AskState.ANSWERED, "answered_at": NOW}, {}, ("suppressed", "answered")),
        ({"state": AskState.RELEASED}, {}, ("suppressed", "cancelled")),
        ({}, anna(opted_out_at=NOW), ("suppressed", "opted_out")),
        ({}, anna(bounced_at=NOW), ("suppressed", "bounced")),
        ({}, {"contacts": {}}, ("suppressed", "erased")),
        ({"closes_at": NOW}, {}, ("suppressed", "expired")),
        ({}, {"brakes": Brakes(all_sending=True)}, ("deferred", "paused")),
        ({}, {"holds": [Hold(HoldKind.DETRACTOR_TICKET, "t", contact_id=ANNA.id)]}, ("deferred", "held")),
        ({}, {"asks": [ask(2, days_ago=1)]}, ("suppressed", "quarantined")),
        ({}, {"asks": [ask(2, days_ago=5)]}, ("requested", "")),
    ],
)
def test_a_reminder_passes_the_same_gate(
    changes: dict[str, Any], facts_: dict[str, Any], expected: tuple[str, str]
) -> None:
    assert reminder(facts(**facts_), **changes)[:2] == expected


def test_a_reminder_waits_for_the_window_while_the_survey_is_open() -> None:
    of = edition(send__window={"days": ["thu"], "hours": "09:00-10:00", "outside_before_stale": False})
    assert reminder(of=of)[:2] == ("deferred", "send_window")
    assert reminder(of=of, closes_at=NOW + timedelta(hours=3))[:2] == ("suppressed", "expired")
