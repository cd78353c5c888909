"""The latest word about being asked counts, in whatever order words are heard (R44, R52)."""

from __future__ import annotations

from datetime import datetime, timedelta
from random import Random  # noqa: TID251 - the type of what hypothesis hands out

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.trigger.domain.consent import (
    ALL,
    Said,
    Standing,
    absorb,
    refuses,
    standing,
    standing_of,
    wanted_channels,
)
from services.trigger.domain.directory import Told, said_in
from shared.contracts.directory import Consent
from shared.contracts.model import Channel, Family, Person
from shared.contracts.touchpoints import TouchpointContact
from tests.support.changed import replace
from tests.unit.trigger.support import ANNA, NOW

DAY = timedelta(days=1)
SCOPES = (ALL, "delivery-csat", "family:relationship", "channel:email")
pytestmark = pytest.mark.requirement("R44")


def word(day: int, given: bool, *, firm: bool = True, scope: str = ALL, source: str = "crm") -> Said:
    return Said(scope, given, NOW + day * DAY, source, firm=firm)


def end(day: int, source: str = "sms", scope: str = ALL) -> Said:
    """A no is taken back in the way in which it was said."""
    return Said(scope, given=True, at=NOW + day * DAY, source=source, takes_back=True)


words = st.builds(
    word,
    st.integers(0, 9),
    st.booleans(),
    firm=st.booleans(),
    scope=st.sampled_from(SCOPES),
    source=st.sampled_from(["crm", "/import", "page"]),
)


ends = st.builds(end, st.integers(0, 9), st.sampled_from(["crm", "/import", "page"]), st.sampled_from(SCOPES))


def heard(said: list[Said]) -> Standing:
    """How somebody stands when words come in one by one, as the store keeps them."""
    kept: list[Said] = []
    for one in said:
        found = absorb(kept, one)
        if found is None:
            continue
        if found.id:
            kept = [found if row.id == found.id else row for row in kept]
        else:
            kept.append(replace(found, id=len(kept) + 1))
    return standing(kept)


@given(st.lists(words | ends, max_size=12), st.randoms())
def test_how_somebody_stands_does_not_depend_on_the_order_of_hearing(
    said: list[Said], chance: Random
) -> None:
    shuffled = sorted(said, key=lambda _: chance.random())
    assert heard(said) == heard(shuffled) == standing(said) == standing([*said, *shuffled])


@pytest.mark.parametrize("scope", [ALL, "delivery-csat", "channel:email"])
def test_a_yes_after_a_no_is_told_with_its_time(scope: str) -> None:
    no, yes = word(1, given=False, scope=scope), word(2, given=True, scope=scope)
    assert standing([no, yes]).renewed == ((scope, yes.at),)
    assert standing([no]).renewed == ()
    assert standing([yes]).renewed == (), "nothing was refused before"
    assert standing([word(0, given=True, scope=scope), no]).renewed == (), "an older yes renews nothing"
    assert standing([no, word(2, given=True, scope=scope, firm=False)]).renewed == ()
    assert standing([no, yes, word(3, given=False, scope=scope)]).renewed == ()


@given(st.lists(words, max_size=12))
def test_what_was_renewed_stands_at_yes_and_came_after_every_no(said: list[Said]) -> None:
    for scope, at in standing(said).renewed:
        own = [one for one in said if one.scope == scope]
        assert any(one.given and one.firm and one.at == at for one in own)
        assert all(one.at < at for one in own if not one.given)


@given(st.lists(words, min_size=1, max_size=12))
def test_the_latest_word_that_says_when_counts(said: list[Said]) -> None:
    whole = [one for one in said if one.scope == ALL]
    strong = [one for one in whole if one.firm or not one.given]
    last = max(strong, key=lambda one: (one.at, not one.given), default=None)
    expected = Consent.UNKNOWN if not whole else Consent.GIVEN
    if last is not None and not last.given:
        expected = Consent.WITHDRAWN
    assert standing(said).consent is expected
    assert (standing(said).opted_out_at is not None) is (expected is Consent.WITHDRAWN)


@given(st.lists(words, max_size=12))
def test_a_yes_that_does_not_say_when_never_lifts_a_no(said: list[Said]) -> None:
    stale = Said(ALL, given=True, at=NOW + 100 * DAY, source="/import", firm=False)
    before = standing(said)
    after = standing([*said, stale])
    assert after.opted_out_at == before.opted_out_at
    assert after.opted_out_of == before.opted_out_of


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        pytest.param([], Consent.UNKNOWN, id="nothing was said"),
        pytest.param([word(0, True, firm=False)], Consent.GIVEN, id="a backend says yes"),
        pytest.param([word(1, False), word(0, True)], Consent.WITHDRAWN, id="an earlier yes heard later"),
        pytest.param([word(1, False), word(2, True, firm=False)], Consent.WITHDRAWN, id="a yes without when"),
        pytest.param([word(1, False), word(2, True)], Consent.GIVEN, id="a later yes that says when"),
        pytest.param([word(1, False), word(1, True)], Consent.WITHDRAWN, id="both at once"),
        pytest.param([word(3, False, source="page"), word(2, True)], Consent.WITHDRAWN, id="two sources"),
    ],
)
def test_consent_is_as_last_said(said: list[Said], expected: Consent) -> None:
    assert standing(said).consent is expected


STOP, START = word(1, False, source="sms"), end(2)
BEFORE, BETWEEN, AFTER = (word(day, False, source="page") for day in (0, 1, 3))


@pytest.mark.requirement("R52")
@pytest.mark.parametrize(
    ("said", "expected"),
    [
        pytest.param([STOP, START], Consent.UNKNOWN, id="taken back, and it is no yes"),
        pytest.param([START, STOP], Consent.UNKNOWN, id="heard the other way round"),
        pytest.param([STOP, START, STOP, START], Consent.UNKNOWN, id="heard twice"),
        pytest.param([STOP, START, word(3, False, source="sms")], Consent.WITHDRAWN, id="stop again"),
        pytest.param([STOP, end(1)], Consent.WITHDRAWN, id="at one time the stop counts"),
        pytest.param([STOP, end(0)], Consent.WITHDRAWN, id="a start before the stop"),
        pytest.param([word(0, True), STOP, START], Consent.GIVEN, id="an earlier yes stands again"),
        pytest.param([BEFORE, STOP, START], Consent.WITHDRAWN, id="unsubscribed before"),
        pytest.param([STOP, BETWEEN, START], Consent.WITHDRAWN, id="unsubscribed in between"),
        pytest.param([STOP, START, AFTER], Consent.WITHDRAWN, id="unsubscribed after"),
        pytest.param([START], Consent.UNKNOWN, id="nothing to take back"),
    ],
)
def test_taking_back_ends_what_was_said_in_the_same_way_and_nothing_else(
    said: list[Said], expected: Consent
) -> None:
    found = heard(said)
    assert found.consent is expected
    assert (found.opted_out_at is None) is (expected is not Consent.WITHDRAWN)
    assert found.renewed == (), "no yes was given, so nothing else may be lifted by it"


@given(st.lists(words, max_size=12), ends)
def test_taking_back_never_adds_a_no_and_leaves_those_of_other_ways(said: list[Said], back: Said) -> None:
    def refused(stands: Standing) -> set[str]:
        return {*stands.opted_out_of, *([ALL] if stands.opted_out_at else [])}

    after = refused(standing([*said, back]))
    assert after <= refused(standing(said))
    others = [one for one in said if one.source != back.source]
    for scope in refused(standing(others)) - after:
        assert any(one.scope == scope and one.given and one.firm for one in said)


def test_scopes_are_kept_apart() -> None:
    said = [word(0, True), word(1, False, scope="family:relationship"), word(2, False, scope="delivery-csat")]
    found = standing_of(ANNA, said)
    assert found.consent is Consent.GIVEN
    assert found.opted_out_of == ("delivery-csat", "family:relationship")
    assert refuses(found, "delivery-csat", Family.TRANSACTIONAL) == "programme"
    assert refuses(found, "nps", Family.RELATIONSHIP) == "family"
    assert refuses(found, "nps", Family.TRANSACTIONAL) == ""
    back = standing_of(ANNA, [*said, word(3, True, scope="delivery-csat")])
    assert back.opted_out_of == ("family:relationship",)


def test_a_channel_that_somebody_does_not_want_is_left_out() -> None:
    found = standing_of(ANNA, [word(0, False, scope="channel:email")])
    assert wanted_channels(found, (Channel.EMAIL, Channel.IN_APP)) == (Channel.IN_APP,)
    assert wanted_channels(ANNA, (Channel.EMAIL,)) == (Channel.EMAIL,)


@pytest.mark.parametrize(
    ("second", "kept"),
    [
        pytest.param(word(2, True), 1, id="the same again"),
        pytest.param(word(0, True), 1, id="the very same"),
        pytest.param(word(2, False), 2, id="the contrary"),
        pytest.param(word(2, True, source="page"), 2, id="another source"),
        pytest.param(word(2, True, firm=False), 2, id="less sure"),
    ],
)
def test_a_repetition_prolongs_a_word_instead_of_a_new_one(second: Said, kept: int) -> None:
    first = replace(word(0, True), id=1)
    found = absorb([first], second)
    assert (1 if found is None or found.id else 2) == kept


@pytest.mark.parametrize(
    ("own", "at", "firm"),
    [
        pytest.param(None, NOW, False, id="the event's own time"),
        pytest.param(NOW - DAY, NOW - DAY, True, id="when it was said"),
        pytest.param(NOW + DAY, NOW, True, id="never later than the event"),
    ],
)
def test_an_event_tells_when_consent_was_said(own: datetime | None, at: datetime, firm: bool) -> None:
    told = Told(TouchpointContact(id="c1", consent=True, consent_at=own), Person(), NOW)
    said = said_in(told, "/crm", "e1")
    assert said is not None
    assert (said.at, said.firm, said.source) == (at, firm, "/crm")
    assert said_in(Told(TouchpointContact(id="c1"), Person(), NOW), "/crm", "e1") is None
