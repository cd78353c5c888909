"""What people allow by ticking a box: to be contacted about their answer, to be quoted (R45, R84)."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from services.collector.domain.answers import Given, read
from shared.contracts.forms import Form, Permission


def allowed(form: Form, chosen: Collection[str]) -> tuple[Permission, ...]:
    """Permissions of the questions in which something was chosen, each once, in the order of the form."""
    found = (one.permission for one in form.questions if one.permission and one.id in chosen)
    return tuple(dict.fromkeys(found))


def allowed_since(
    form: Form, versions: Sequence[tuple[datetime, Collection[str]]]
) -> dict[Permission, datetime]:
    """When each permission of the last version was ticked: with the first that had it without a break since.

    Args:
        form: what they were asked.
        versions: when each came in and in which of its questions something was chosen, in rising order.
    """
    found: dict[Permission, datetime] = {}
    for at, chosen in versions:
        found = {one: found.get(one, at) for one in allowed(form, chosen)}
    return found


def granted(form: Form, given: Given) -> frozenset[Permission]:
    """Permissions that an answer gives."""
    return frozenset(allowed(form, read(form, given).choices))


def open_request(form: Form, given: Given, permission: Permission) -> str:
    """The question that asked for a permission which was not given; "" when there is none for this answer."""
    asked = [one.id for one in form.questions if one.permission is permission]
    chosen = read(form, given).choices
    if any(question in chosen for question in asked):
        return ""
    return next((one for one in asked if one in read(form, {**given, one: True}).choices), "")
