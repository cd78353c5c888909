"""Cases of people who have left go to whoever takes care now."""

from __future__ import annotations

import pytest

from services.alerts.domain.rota import Rota
from services.alerts.handlers.actions import Action, Wish, act
from services.alerts.store import rota
from services.alerts.worker import adopt_orphans
from tests.integration.alerts.conftest import Office
from tests.support.alerts import T0


@pytest.mark.requirement("R72")
async def test_the_open_cases_of_one_who_left_go_to_the_rota_once(office: Office) -> None:
    await office.hears(await office.says.answered("r1", 2, T0))
    ((ticket_id,),) = await office.rows("select id from tickets")
    rita, mia = office.team.ids["rita"], office.team.ids["mia"]
    async with office.db.begin() as tx:
        await act(office.desk, tx, ticket_id, Wish(Action.ACKNOWLEDGE, rita))
        await rota.save(tx.conn, Rota((mia,)))
    assert await adopt_orphans(office.desk, office.db) == 0
    async with office.db.begin() as tx:
        await tx.conn.execute("update access.users set disabled_at = $2 where id = $1", rita, T0)
    before = await office.rows("select clock, level, due_at from timers order by 1")
    assert await adopt_orphans(office.desk, office.db) == 1
    assert await adopt_orphans(office.desk, office.db) == 0
    assert await office.rows("select owner, state from tickets") == [(mia, "acknowledged")]
    assert await office.rows("select clock, level, due_at from timers order by 1") == before
    told = "select recipient from notices where occasion = 'assigned'"
    assert await office.rows(told) == [(str(mia),)]
