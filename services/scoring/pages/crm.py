"""What stands of scores in CRMs, for people: how many records, what was refused and why, and trying again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse, RedirectResponse

from services.scoring.domain import crm as rules
from services.scoring.domain.crm import Kind
from services.scoring.store import accounts, crm
from shared.db.database import Connection, Database
from shared.security.access import Role, User, require_role
from shared.web.i18n import negotiate
from shared.web.problems import Problem
from shared.web.templates import environment, page

HERE = Path(__file__).parent
SHOWN = 100
NAMES = {"hubspot": "HubSpot", "salesforce": "Salesforce", "gainsight": "Gainsight", "totango": "Totango"}
REASONS: Mapping[str, str] = {
    rules.UNKNOWN.reason: "unknown",
    rules.SEVERAL.reason: "several",
    rules.NO_ADDRESS.reason: "no_address",
    rules.NO_NAME.reason: "no_name",
    rules.GONE.reason: "gone",
    rules.NO_FIELDS.reason: "no_fields",
}
"""Reasons of ours that the page says in the reader's language; a CRM's own are shown as it names them."""
Rep = Annotated[User, Depends(require_role(Role.REP))]
Manager = Annotated[User, Depends(require_role(Role.MANAGER))]


def crm_pages(db: Database, connected: Sequence[str]) -> APIRouter:
    """The page; `connected` are the CRMs whose access is in the settings."""
    router = APIRouter(include_in_schema=False)
    env = environment(HERE, HERE / "locales")

    @router.get("/scores/crm")
    async def shown(request: Request, user: Rep) -> HTMLResponse:
        """Each CRM, and the records that it refused."""
        async with db.read() as conn:
            counted, troubles = await crm.counted(conn), await crm.troubles(conn)
            refused = await crm.listed(conn, ("", "", "refused"), None, None, SHOWN + 1)
            titles = await _titles(conn, refused)
        names = sorted({*connected, *(row["target"] for row in (*troubles, *counted))})
        content: dict[str, Any] = {
            "crms": [
                {
                    "name": name,
                    "connected": name in connected,
                    "kinds": sorted({row["kind"] for row in counted if row["target"] == name}, reverse=True),
                    "counts": {(row["kind"], row["state"]): row for row in counted if row["target"] == name},
                    "troubles": [row for row in troubles if row["target"] == name],
                }
                for name in names
            ],
            "names": NAMES,
            "reasons": REASONS,
            "refused": refused[:SHOWN],
            "more": len(refused) > SHOWN,
            "titles": titles,
            "may_try": user.role.includes(Role.MANAGER),
        }
        locale = negotiate(user.locale, request.headers.get("accept-language"))
        return page(request, env, "crm.html", content, locale=locale)

    @router.post("/scores/crm/{name}/again")
    async def again(name: str, _user: Manager) -> RedirectResponse:
        """Have everything that waits tried at once."""
        if name not in connected:
            raise Problem(404, "No such CRM is connected.", what_to_do="See the list of CRMs.")
        async with db.begin() as tx:
            await crm.again(tx.conn, name, db.machine.wall())
        return RedirectResponse("/scores/crm", 303)

    return router


async def _titles(conn: Connection, rows: Sequence[Mapping[str, Any]]) -> dict[UUID, str]:
    """Names of accounts; people are named by their page in the directory alone."""
    ids = [row["id"] for row in rows if row["kind"] == Kind.ACCOUNT]
    return {one.account_id: one.name for one in await accounts.some(conn, ids)} if ids else {}
