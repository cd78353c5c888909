import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from uuid import UUID

import asyncpg
import pytest
from pydantic import BaseModel

from shared.db.database import Connection, Database
from shared.errors import Unavailable
from shared.runtime.clock import FixedClock
from shared.runtime.ids import derive
from shared.security.ddl import ACCESS_DDL, KEYS_DDL
from shared.security.keyring import KeyRing
from shared.security.sealing import SealBrokenError, Sealer


class Person(BaseModel):
    name: str
    email: str | None = None


class Words(BaseModel):
    name: str


ANA, BO, CY = (derive("contact", name) for name in ("ana", "bo", "cy"))
PEOPLE = {ANA: Person(name="Ana Ñ", email="ana@example.com"), BO: Person(name="Bo")}
NOW = datetime(2026, 3, 3, 9, 0, tzinfo=UTC)


async def seal_all(sealer: Sealer, conn: Connection) -> list[tuple[UUID, str]]:
    return list(zip(PEOPLE, await sealer.seal(conn, list(PEOPLE.items())), strict=True))


async def test_what_was_sealed_opens(sealer: Sealer, conn: Connection) -> None:
    sealed = await seal_all(sealer, conn)
    assert await sealer.open(conn, sealed, Person) == list(PEOPLE.values())
    assert all("Ana" not in text and text.isascii() for _, text in sealed)


async def test_nothing_to_do_asks_nothing(sealer: Sealer, conn: Connection) -> None:
    assert await sealer.seal(conn, []) == []
    assert await sealer.open(conn, [(ANA, "")], Person) == [None]


async def test_one_contact_may_come_several_times(sealer: Sealer, conn: Connection) -> None:
    first, second = await sealer.seal(conn, [(ANA, PEOPLE[ANA]), (ANA, PEOPLE[ANA])])
    assert first != second
    assert await sealer.open(conn, [(ANA, first), (ANA, second)], Person) == [PEOPLE[ANA]] * 2


async def test_after_erasure_nothing_opens_and_nothing_is_sealed_again(
    sealer: Sealer, conn: Connection
) -> None:
    sealed = await seal_all(sealer, conn)
    await sealer.destroy(conn, [ANA])
    assert await sealer.open(conn, sealed, Person) == [None, PEOPLE[BO]]
    assert await sealer.seal(conn, [(ANA, PEOPLE[ANA])]) == [""]


async def test_a_contact_erased_before_it_was_known_gets_no_key(sealer: Sealer, conn: Connection) -> None:
    await sealer.destroy(conn, [CY])
    assert await sealer.seal(conn, [(CY, Person(name="Cy"))]) == [""]


async def test_erasing_twice_keeps_the_first_instant(
    sealer: Sealer, conn: Connection, clock: FixedClock
) -> None:
    await sealer.destroy(conn, [ANA, ANA])
    clock.advance(timedelta(days=1))
    await sealer.destroy(conn, [ANA])
    assert await conn.fetchval("select destroyed_at from keys.data_keys") == NOW


async def test_the_database_itself_refuses_to_bring_a_key_back(sealer: Sealer, conn: Connection) -> None:
    await sealer.destroy(conn, [ANA])
    with pytest.raises(asyncpg.RaiseError, match="stays destroyed"):
        await conn.execute("update keys.data_keys set wrapped = 'x', destroyed_at = null")
    with pytest.raises(asyncpg.RaiseError, match="never deleted"):
        await conn.execute("delete from keys.data_keys")


async def test_a_text_opens_for_its_contact_and_model_alone(sealer: Sealer, conn: Connection) -> None:
    sealed = await seal_all(sealer, conn)
    with pytest.raises(SealBrokenError, match="somebody else"):
        await sealer.open(conn, [(BO, sealed[0][1])], Person)
    with pytest.raises(SealBrokenError, match="not a Words"):
        await sealer.open(conn, [sealed[0]], Words)


@pytest.mark.parametrize(
    "alter",
    [
        pytest.param(lambda t: t[:60], id="cut off"),
        pytest.param(lambda t: t[:-2] + ("AA" if t[-2:] != "AA" else "BB"), id="tag altered"),
        pytest.param(lambda t: "B" + t[1:], id="version"),
        pytest.param(lambda t: "%" + t, id="no base64"),
        pytest.param(lambda t: "é" + t, id="not ascii"),
        pytest.param(lambda t: t[:10], id="shorter than a header"),
    ],
)
async def test_an_altered_text_is_reported_not_opened(
    sealer: Sealer, conn: Connection, alter: Callable[[str], str]
) -> None:
    _, text = (await seal_all(sealer, conn))[0]
    with pytest.raises(SealBrokenError) as caught:
        await sealer.open(conn, [(ANA, alter(text))], Person)
    assert "Ana" not in str(caught.value)


async def test_a_model_that_changed_is_reported_without_the_data(sealer: Sealer, conn: Connection) -> None:
    class Loose(BaseModel):
        name: str

    Loose.__name__ = "Words"
    [text] = await sealer.seal(conn, [(ANA, Loose(name="Ana"))])

    class Strict(BaseModel):
        name: int

    Strict.__name__ = "Words"
    with pytest.raises(SealBrokenError, match="unreadable fields name") as caught:
        await sealer.open(conn, [(ANA, text)], Strict)
    assert "Ana" not in str(caught.value)


async def test_a_text_of_another_installation_is_reported(sealer: Sealer, conn: Connection) -> None:
    with pytest.raises(SealBrokenError, match="another installation"):
        await sealer.open(conn, [(CY, "AAAA")], Person)


async def test_a_rolled_back_transaction_leaves_no_key(sealer: Sealer, conn: Connection) -> None:
    transaction = conn.transaction()
    await transaction.start()
    await sealer.seal(conn, [(ANA, PEOPLE[ANA])])
    await transaction.rollback()
    assert await conn.fetchval("select count(*) from keys.data_keys") == 0


async def test_two_who_seal_first_at_once_use_one_key(sealer: Sealer, access_db: Database) -> None:
    async def seal() -> list[tuple[UUID, str]]:
        async with access_db.begin() as tx:
            return await seal_all(sealer, tx.conn)

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(seal()) for _ in range(4)]
    async with access_db.read() as conn:
        for task in tasks:
            assert await sealer.open(conn, task.result(), Person) == list(PEOPLE.values())


async def test_whoever_seals_while_the_contact_is_erased_leaves_nothing_readable(
    sealer: Sealer, access_db: Database
) -> None:
    async def seal() -> list[tuple[UUID, str]]:
        async with access_db.begin() as tx:
            return await seal_all(sealer, tx.conn)

    async def erase() -> None:
        async with access_db.begin() as tx:
            await sealer.destroy(tx.conn, [ANA, BO])

    async with asyncio.TaskGroup() as group:
        sealing = [group.create_task(seal()), group.create_task(seal())]
        group.create_task(erase())
    async with access_db.read() as conn:
        for task in sealing:
            assert await sealer.open(conn, task.result(), Person) == [None, None]


async def test_while_master_keys_rotate_old_and_new_open(conn: Connection, clock: FixedClock) -> None:
    old = Sealer(KeyRing(1, {1: b"m" * 32}), b"b" * 32, clock.now)
    both = Sealer(KeyRing(2, {1: b"m" * 32, 2: b"n" * 32}), b"b" * 32, clock.now)
    new = Sealer(KeyRing(2, {2: b"n" * 32}), b"b" * 32, clock.now)
    sealed = await seal_all(old, conn)
    assert await both.open(conn, sealed, Person) == list(PEOPLE.values())
    with pytest.raises(Unavailable, match="master key 1"):
        await new.open(conn, sealed, Person)
    assert [await both.rewrap(conn, limit=1) for _ in range(3)] == [1, 1, 0]
    assert await new.open(conn, sealed, Person) == list(PEOPLE.values())


async def test_a_wrong_master_key_is_no_fault_of_the_record(conn: Connection, clock: FixedClock) -> None:
    right = Sealer(KeyRing(1, {1: b"m" * 32}), b"b" * 32, clock.now)
    wrong = Sealer(KeyRing(1, {1: b"w" * 32}), b"b" * 32, clock.now)
    sealed = await seal_all(right, conn)
    with pytest.raises(Unavailable, match="does not open"):
        await wrong.open(conn, sealed, Person)


def test_blind_hashes_ignore_case_and_form_but_not_the_purpose(sealer: Sealer) -> None:
    assert sealer.blind("email", " Ana@Example.com ") == sealer.blind("email", "ana@example.com")
    assert sealer.blind("email", "e\u0301@x.test") == sealer.blind("email", "\u00e9@x.test")
    assert sealer.blind("email", "ana@example.com") != sealer.blind("phone", "ana@example.com")
    assert sealer.blind("email", "ana@example.com") != sealer.blind("email", "bo@example.com")


async def test_the_schemas_may_be_laid_again(sealer: Sealer, conn: Connection) -> None:
    sealed = await seal_all(sealer, conn)
    await conn.execute(KEYS_DDL + ACCESS_DDL)
    assert await sealer.open(conn, sealed, Person) == list(PEOPLE.values())
