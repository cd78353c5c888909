"""Swapping shifts: one taps to offer, the other to agree; both see it on the rota's page."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from urllib.parse import urlencode
from uuid import UUID

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from services.alerts.domain.model import Refused
from services.alerts.domain.swaps import Stretch, Swap
from services.alerts.handlers import swapping
from services.alerts.handlers.swapping import Offer
from services.alerts.pages import rota
from services.alerts.pages.house import House, Rep
from shared.security.access import Role, User
from shared.web.forms import text_fields


def add(routes: APIRouter, house: House) -> None:
    """Add the routes."""

    @routes.post("/rota/swaps")
    async def offer(request: Request, me: Rep) -> Response:
        """Offer one of my shifts against one of somebody else's."""
        fields = await text_fields(request)
        try:
            wish = read_offer(fields, me.id)
        except ValueError:
            return await rota.show(
                request, house, me, fields.get("team"), "Choose both shifts from the list."
            )
        async with house.db.begin() as tx:
            done = await swapping.offer(house.desk, tx, wish)
        return await _answer(request, house, me, done, fields)

    @routes.post("/rota/swaps/{swap_id}/agree")
    async def agree(request: Request, swap_id: UUID, me: Rep) -> Response:
        """Agree to what I was offered."""
        async with house.db.begin() as tx:
            done = await swapping.agree(house.desk, tx, swap_id, me.id)
        return await _answer(request, house, me, done, await text_fields(request))

    @routes.post("/rota/swaps/{swap_id}/end")
    async def end(request: Request, swap_id: UUID, me: Rep) -> Response:
        """Decline it, or take it back."""
        async with house.db.begin() as tx:
            done = await swapping.end(tx, swap_id, me.id, manager=me.role in {Role.MANAGER, Role.ADMIN})
        return await _answer(request, house, me, done, await text_fields(request))


def read_offer(fields: Mapping[str, str], asker: UUID) -> Offer:
    """The offer of the form.

    Raises:
        ValueError: a field is missing or none of ours.
    """
    given, taken = (
        Stretch(_instant(fields.get(f"{which}_from", "")), _instant(fields.get(f"{which}_to", "")))
        for which in ("given", "taken")
    )
    if given.ends_at <= given.starts_at or taken.ends_at <= taken.starts_at:
        raise ValueError("a shift ends after it begins")
    return Offer(fields.get("team", ""), asker, UUID(fields.get("user", "")), given, taken)


def _instant(text: str) -> datetime:
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise ValueError("an instant has a zone")
    return at


async def _answer(
    request: Request, house: House, me: User, done: Swap | Refused, fields: Mapping[str, str]
) -> Response:
    if isinstance(done, Refused):
        return await rota.show(request, house, me, fields.get("team"), done.why)
    return RedirectResponse("/rota?" + urlencode({"team": done.team}), 303)
