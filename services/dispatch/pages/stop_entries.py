"""Entries of the list of stops in words of its page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from services.dispatch.domain.stop_list import grounds_for
from services.dispatch.handlers.stop_list import Named
from services.dispatch.store.stop_list import Former, Row


@dataclass(frozen=True, slots=True)
class Shown:
    """Entries in words of the page."""

    names: Mapping[tuple[str, str], Named]
    users: Mapping[UUID, str]
    titles: Mapping[str, str]

    def row(self, row: Row) -> dict[str, Any]:
        """An entry with who it is about, in clear where that is known, and how it may be taken off."""
        named = self.names.get((row.kind, row.subject), Named("", ""))
        return {
            "kind": row.kind,
            "subject": row.subject,
            "mark": row.subject[:8],
            "name": named.name,
            "address": named.address,
            "contact": row.contact_id,
            "programme": self.titles.get(row.programme, row.programme),
            "reason": row.reason,
            "reach": "every" if row.kind == "contact" else row.channel or "unknown",
            "via": row.via,
            "by": self._user(row.noted_by),
            "at": row.noted_at,
            "grounds": grounds_for(row.kind, row.reason, row.via),
        }

    def former(self, one: Former) -> dict[str, Any]:
        """An entry that is over, with how it ended."""
        over = {"lifted_at": one.lifted_at, "agreed_at": one.agreed_at, "lifted_as": one.grounds or "consent"}
        return self.row(one.row) | over | {"lifted_by": self._user(one.lifted_by), "grounds": ()}

    def _user(self, user_id: UUID | None) -> str | None:
        return self.users.get(user_id, "?") if user_id else None


def sums(counts: Mapping[tuple[str, str], int]) -> dict[str, int]:
    """How many there are in all, for each reason and for each reach."""
    found: dict[str, int] = {"": 0}
    for (reason, reach), number in counts.items():
        for name in ("", reason, reach):
            found[name] = found.get(name, 0) + number
    return found
