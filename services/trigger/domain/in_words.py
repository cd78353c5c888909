"""What a programme does, in plain words for whoever runs it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from services.trigger.domain.asking import AnswerBound, Asked
from services.trigger.domain.audience import written
from services.trigger.domain.groups import Group
from services.trigger.domain.journey import audience_in_words, goal_in_words, moment_in_words
from services.trigger.domain.programme import Programme
from services.trigger.domain.sending import Send

Row = tuple[str, str]
"""What a line is about, and what it says."""


def rows_of(rules: Programme, group: Group | None = None, variants: Iterable[str] = ()) -> list[Row]:
    """All lines about a programme; what it does not use is left out.

    `variants`: those of its file, of which one at most is active.
    """
    when, named = rules.when, ", ".join(variants)
    rows = [
        ("what for", rules.purpose.get("en") or next(iter(rules.purpose.values()), "")),
        ("objective", _objective(rules, group)),
        ("family", f"{rules.family}{f', stage {rules.stage}' if rules.stage else ''}"),
        ("when", f"{moment_in_words(rules)}, counted per {when.per}; stale {when.fresh_for.text} after that"),
        ("only if", "; ".join(f"{field} is {written(wanted)}" for field, wanted in when.where.items())),
        ("called off by", ", ".join(when.ends_on) or "nothing"),
        ("waits for", ", ".join(when.holds) or "nothing"),
        ("who", audience_in_words(rules)),
        ("consent", "only those who said yes" if rules.consent == "opt_in" else ""),
        ("asks", _question(rules.core)),
        *(("then asks", _question(one)) for one in rules.questions if one.id != rules.primary),
        ("subjects", _subjects(rules)),
        ("send", _sending(rules.send)),
        ("open for", rules.send.open_for.text),
        ("not again within", _limits(rules)),
        ("priority", str(rules.priority)),
        *_follows(rules),
        ("variants", f"{named}; active: {rules.variant or 'none of them'}" if named else ""),
    ]
    return [(name, text) for name, text in rows if text]


def _objective(rules: Programme, group: Group | None) -> str:
    if group is None:
        return rules.group
    beside = f", also {', '.join(group.secondary)}" if group.secondary else ""
    goal = f"; {goal_in_words(group.goal)}" if group.goal else ""
    return f"{rules.group}: {group.objective}{beside}{goal}"


def _question(one: Asked) -> str:
    text = one.text.get("en") or next(iter(one.text.values()), "")
    items = f" ({', '.join(item.id for item in one.items)})" if one.items else ""
    bounds = " and ".join(f"{name} {_bound(bound)}" for name, bound in one.when.items())
    return f"{one.id}: {text}{items}{f' [if {bounds}]' if bounds else ''}"


def _bound(bound: AnswerBound) -> str:
    if bound.eq is not None:
        return str(bound.eq)
    low, high = bound.gte, bound.lte
    if low is not None and high is not None:
        return f"{low} to {high}"
    return f"{low} or more" if low is not None else f"{high} or less"


def _subjects(rules: Programme) -> str:
    lines = rules.letter.lines
    names, parts = ", ".join(line.id for line in lines), " : ".join(str(line.part) for line in lines)
    return f"{names}; recipients {parts}" if lines else ""


def _sending(send: Send) -> str:
    window = send.window
    hours = window if isinstance(window, str) else f"{', '.join(window.days)} {window.hours}"
    reminders = ", ".join(reminder.after.text for reminder in send.reminders) or "none"
    return f"{', '.join(send.channels)}; {hours}; reminders {reminders}"


def _limits(rules: Programme) -> str:
    limits = rules.quarantine
    family = f"; same family {limits.family.text}" if limits.family else ""
    budget = f"; per account {limits.account.max} within {limits.account.per.text}" if limits.account else ""
    exempt = "; itself not held back" if limits.exempt else ""
    return f"{limits.contact.text}{family}{budget}{exempt}"


def _follows(rules: Programme) -> Iterator[Row]:
    loop = rules.close_the_loop
    unhappy = loop.unhappy
    ticket = (
        f"ticket: contact within {unhappy.contact_within.text}, settled within {unhappy.resolve_within.text}"
    )
    parts = [
        ticket if unhappy.ticket else "no ticket",
        f"playbook {unhappy.playbook}" if unhappy.playbook else "",
        f"sends {unhappy.send.help}" if unhappy.send else "",
        f"task {unhappy.task}" if unhappy.task else "",
    ]
    yield f"unhappy ({rules.primary} at or below {rules.low_mark})", _listed(parts)
    for name, found in (("neutral", loop.neutral), ("happy", loop.happy)):
        if found:
            links = f"links to {', '.join(link.url for link in found.links)}" if found.links else ""
            yield name, _listed([f"task {found.task}" if found.task else "", links])


def _listed(parts: Iterable[str]) -> str:
    return "; ".join(part for part in parts if part)
