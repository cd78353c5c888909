"""Totango: figures as attributes of accounts, one account a request.

Its gateway makes an account that it does not know, and says that it heard us, not that it understood. So an
account is written only under an id that is one of Totango's, and people, whom it knows by their address, are
left out: what was written of one could not be taken back once the address is forgotten.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from uuid import UUID

from services.scoring.domain.crm import Found, Kind, Refused, Subject, Taken, Update
from shared.partners.api import Api

AT_ONCE = 20
PATH = "/pixel.gif/"
_ID = re.compile(r"[A-Za-z0-9_-]{1,480}")
_WRONG_ID = Refused("the id of the account is none of Totango's: letters, digits, _ and - alone")


class Totango:
    """Speaks with one service; `service` is its id (`SP-...`)."""

    name = "totango"
    kinds = frozenset({Kind.ACCOUNT})
    at_once = AT_ONCE

    def __init__(self, api: Api, service: str) -> None:
        self._api = api
        self._service = service

    async def find(self, kind: Kind, subjects: Sequence[Subject]) -> Mapping[UUID, Found | Refused]:
        """See `Crm.find`; accounts have the ids that backends give them."""
        assert kind in self.kinds  # noqa: S101 - the only kind that is asked for
        ids = {one.id: one.own_id(self.name) or one.external_id.strip() for one in subjects}
        return {one: Found(own) if _ID.fullmatch(own) else _WRONG_ID for one, own in ids.items()}

    async def write(self, kind: Kind, updates: Sequence[Update]) -> Mapping[UUID, Taken | Refused]:
        """See `Crm.write`."""
        assert kind in self.kinds  # noqa: S101 - the only kind that is written
        for one in updates:
            attributes = {
                f"sdr_o.{attribute_of(figure)}": "" if value is None else str(value)
                for figure, value in one.figures.items()
            }
            fields = {"sdr_s": self._service, "sdr_o": one.record, **attributes}
            await self._api.post_form(PATH, fields)
        return {one.id: Taken(frozenset(one.figures)) for one in updates}


def attribute_of(figure: str) -> str:
    """The API name of a figure's attribute."""
    return f"afterword_{figure}"
