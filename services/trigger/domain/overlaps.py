"""Programmes that want the same people after the same event: which of them is heard, and which never is.

Arbitration asks each person once, by priority. Two of equal priority leave that to chance; one that is always
the less important of two never asks anybody, and nothing but a check says so before weeks have passed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import permutations

from services.trigger.domain.findings import Checked, Finding
from services.trigger.domain.programme import Audience, Programme


def overlaps(programmes: Sequence[Checked]) -> Iterator[Finding]:
    """Everything questionable about programmes that meet."""
    for index, one in enumerate(programmes):
        for other in programmes[index + 1 :]:
            yield from _fights(one, other)
    for stronger, weaker in permutations(programmes, 2):
        yield from _eclipsed(stronger, weaker)


def _fights(one: Checked, other: Checked) -> Iterator[Finding]:
    """Equal priority on one touchpoint and audience: chance would decide who is heard."""
    a, b = one.edition.programme, other.edition.programme
    if a.key == b.key:  # an error of its own
        return
    shared = set(a.touchpoints) & set(b.touchpoints)
    if (
        shared
        and a.priority == b.priority
        and a.audience == b.audience
        and a.when.where == b.when.where
        and a.when.nth == b.when.nth
    ):
        reason = f"fights with {a.key!r} for the same people after {', '.join(sorted(shared))}."
        yield other.warning(("priority",), reason, "Give one of them a higher priority, or another audience.")


def _eclipsed(stronger: Checked, weaker: Checked) -> Iterator[Finding]:
    """A programme that waits behind a more important one until its own moment is over, every time."""
    a, b = stronger.edition.programme, weaker.edition.programme
    if not (a.priority > b.priority and _runs(a) and _runs(b) and _takes_all(a, b) and _outlasts(a, b)):
        return
    reason = (
        f"never asks anybody: {a.key!r} asks the same people after {', '.join(b.when.touchpoint)}, is more "
        f"important, and its quarantine of {b.quarantine.contact.text} outlasts this moment."
    )
    advice = (
        "Keep one of the two: archive the other, give it another audience or where, or raise its priority."
    )
    yield weaker.warning(("priority",), reason, advice)


def _runs(rules: Programme) -> bool:
    return rules.state == "active"


def _takes_all(a: Programme, b: Programme) -> bool:
    """Whether whatever makes the one ask makes the other ask the same person, who gets only the other's."""
    return (
        bool(b.when.touchpoint)
        and set(b.when.touchpoint) <= set(a.when.touchpoint)
        and (a.when.where == b.when.where or not a.when.where)
        and (a.when.nth, a.when.per) == (b.when.nth, b.when.per)
        and set(a.when.ends_on) <= set(b.when.ends_on)
        and set(a.when.holds) <= set(b.when.holds)
        and _covers(a.audience, b.audience)
        and a.send.deliver_to == b.send.deliver_to
        and set(b.send.channels) <= set(a.send.channels)
        and a.consent in {b.consent, "opt_out"}
        and a.quarantine.account in {None, b.quarantine.account}
    )


def _covers(a: Audience, b: Audience) -> bool:
    """Whether everybody of the second audience is in the first, and no sample or limit leaves one out."""
    pairs = (
        (a.role, b.role), (a.persona, b.persona), (a.job_function, b.job_function), (a.tier, b.tier)
    )  # fmt: skip
    within = all(not wide or (narrow and set(narrow) <= set(wide)) for wide, narrow in pairs)
    limited = a.max_per_account is not None and a.max_per_account != b.max_per_account
    return a.who is b.who and within and a.sample >= 1 and not limited and a.coverage == b.coverage


def _outlasts(a: Programme, b: Programme) -> bool:
    """Whether the quarantine after the first's question lasts beyond the moment of the second."""
    if b.quarantine.exempt or a.quarantine.exempt:
        return False
    asked, wanted = a.when.delay.rough, b.when.delay.rough
    seen_coming = asked - wanted < a.quarantine.contact.rough
    return seen_coming and wanted + b.when.fresh_for.rough <= asked + b.quarantine.contact.rough
