import asyncio
from datetime import timedelta

import asyncpg
import pytest

from shared.db.database import Connection, Database
from shared.runtime.clock import FakeMachine, FixedClock
from shared.runtime.ids import derive, random_id
from shared.security import access_store as store
from shared.security.access import Access
from shared.security.accounts import SESSION_LIFETIME, SETUP_LIFETIME
from shared.security.people import (
    AccessRefusedError,
    NewUser,
    SignedIn,
    Throttled,
    User,
    WrongCredentials,
)
from shared.security.roles import Role, Scope
from shared.security.throttle import PAIR_LIMIT, WINDOW

ANA = NewUser("Ana@Example.com", "Ana López", Role.ADMIN, "Europe/Madrid", "es")
BO = NewUser("bo@example.com", "Bo", Role.REP)
SECRET = "correct horse battery"
HOME = "203.0.113.7"


async def added(access: Access, new: NewUser) -> User:
    invitation = await access.invite(new)
    user = await access.set_up(invitation.token, SECRET)
    assert user is not None
    return user


async def signed_in(access: Access, email: str = "ana@example.com") -> SignedIn:
    result = await access.sign_in(email, SECRET, HOME)
    assert isinstance(result, SignedIn)
    return result


async def test_the_first_admin_comes_in_by_a_one_time_link(access: Access) -> None:
    invitation = await access.invite(ANA)
    assert invitation.path == f"/setup/{invitation.token}"
    assert invitation.user.state == "invited"
    assert await access.setup_user(invitation.token) == invitation.user
    user = await access.set_up(invitation.token, SECRET)
    assert user is not None
    assert (user.email, user.role, user.state) == ("ana@example.com", Role.ADMIN, "active")
    assert (await signed_in(access, " ANA@example.com ")).session.user == user


async def test_a_link_works_once(access: Access) -> None:
    invitation = await access.invite(ANA)
    async with asyncio.TaskGroup() as group:
        tries = [group.create_task(access.set_up(invitation.token, SECRET)) for _ in range(3)]
    assert sum(task.result() is not None for task in tries) == 1
    assert await access.setup_user(invitation.token) is None
    assert await access.set_up(invitation.token, SECRET) is None


async def test_a_weak_password_leaves_the_link_usable(access: Access) -> None:
    invitation = await access.invite(ANA)
    with pytest.raises(AccessRefusedError):
        await access.set_up(invitation.token, "short")
    assert await access.set_up(invitation.token, SECRET) is not None


async def test_a_link_expires_in_business_time(access: Access, clock: FixedClock) -> None:
    invitation = await access.invite(ANA)
    clock.advance(SETUP_LIFETIME - timedelta(seconds=1))
    assert await access.setup_user(invitation.token) is not None
    clock.advance(timedelta(seconds=1))
    assert await access.setup_user(invitation.token) is None


async def test_a_new_link_replaces_the_old_and_the_password_holds_until_it_is_used(access: Access) -> None:
    user = await added(access, ANA)
    first, second = await access.renew_link(user.id), await access.renew_link(user.id)
    assert await access.setup_user(first.token) is None
    session = await signed_in(access)
    assert await access.set_up(second.token, "another long sentence") is not None
    assert await access.session(session.token) is None
    assert await access.sign_in("ana@example.com", SECRET, HOME) == WrongCredentials()


@pytest.mark.parametrize(
    ("new", "field"),
    [
        pytest.param(NewUser("not an address", "Ana"), "email", id="address"),
        pytest.param(NewUser("a@b.test\r\nBcc: c@d.test", "Ana"), "email", id="header injection"),
        pytest.param(NewUser("ana@example.com", "  "), "name", id="no name"),
        pytest.param(NewUser("ana@example.com", "An\x00a"), "name", id="control character"),
        pytest.param(NewUser("ana@example.com", "Ana", zone="Mars/Base"), "zone", id="zone"),
    ],
)
async def test_an_invitation_names_the_field_that_is_wrong(access: Access, new: NewUser, field: str) -> None:
    with pytest.raises(AccessRefusedError) as caught:
        await access.invite(new)
    assert caught.value.field == field


async def test_one_address_is_one_account(access: Access) -> None:
    await access.invite(ANA)
    with pytest.raises(AccessRefusedError, match="account with this address"):
        await access.invite(NewUser("ANA@example.com", "Ana again"))


async def test_wrong_unknown_invited_and_disabled_all_sound_the_same(access: Access) -> None:
    await added(access, ANA)
    bo = await added(access, BO)
    await access.disable(bo.id)
    await access.invite(NewUser("cy@example.com", "Cy"))
    for email, password in [
        ("ana@example.com", "wrong"),
        ("nobody@example.com", SECRET),
        ("bo@example.com", SECRET),
        ("cy@example.com", SECRET),
        ("\x00", SECRET),
        ("ana@example.com", "x" * 1_000_000),
        ("ana@example.com", "\ud800"),
    ]:
        assert await access.sign_in(email, password, HOME) == WrongCredentials()


async def test_who_guesses_waits_and_is_then_heard_again(access: Access, machine: FakeMachine) -> None:
    await added(access, ANA)
    for _ in range(PAIR_LIMIT):
        assert await access.sign_in("ana@example.com", "guess", HOME) == WrongCredentials()
    refused = await access.sign_in("ana@example.com", SECRET, HOME)
    assert refused == Throttled(WINDOW)
    assert isinstance(await access.sign_in("ana@example.com", SECRET, "198.51.100.9"), SignedIn)
    machine.advance(WINDOW.total_seconds())
    assert isinstance(await access.sign_in("ana@example.com", SECRET, HOME), SignedIn)


async def test_guesses_in_parallel_are_all_counted(access: Access) -> None:
    await added(access, ANA)
    async with asyncio.TaskGroup() as group:
        tries = [group.create_task(access.sign_in("ana@example.com", "guess", HOME)) for _ in range(12)]
    results = [task.result() for task in tries]
    assert results.count(WrongCredentials()) == PAIR_LIMIT


async def test_a_session_lasts_until_signing_out_or_expiry(access: Access, clock: FixedClock) -> None:
    await added(access, ANA)
    first, second = await signed_in(access), await signed_in(access)
    await access.sign_out(first.token)
    assert await access.session(first.token) is None
    assert await access.session(second.token) == second.session
    clock.advance(SESSION_LIFETIME)
    assert await access.session(second.token) is None


@pytest.mark.parametrize("token", ["", "x", "x" * 1_000_000, "\x00", "\ud800"])
async def test_garbage_is_no_session(access: Access, token: str) -> None:
    assert await access.session(token) is None


async def test_secrets_are_stored_as_hashes_alone(access: Access, conn: Connection) -> None:
    await added(access, ANA)
    session = await signed_in(access)
    link = await access.renew_link(session.session.user.id)
    _, key = await access.create_key("loader", {Scope.TOUCHPOINTS_WRITE})
    tables = ("users", "sessions", "setup_links", "api_keys", "audit", "sign_in_attempts")
    stored = "".join([str(await conn.fetch(f"select * from access.{table}")) for table in tables])
    for secret in (SECRET, session.token, link.token, key):
        assert secret not in stored


async def test_disabling_acts_at_once_and_can_be_undone(access: Access) -> None:
    await added(access, ANA)
    bo = await added(access, BO)
    session = await signed_in(access, BO.email)
    await access.disable(bo.id)
    assert await access.session(session.token) is None
    assert await access.users_with_role("rep") == []
    await access.enable(bo.id)
    assert [user.id for user in await access.users_with_role("rep")] == [bo.id]


async def test_the_last_admin_stays(access: Access) -> None:
    ana = await added(access, ANA)
    with pytest.raises(AccessRefusedError, match="last admin"):
        await access.disable(ana.id)
    with pytest.raises(AccessRefusedError, match="last admin"):
        await access.change_role(ana.id, Role.REP)
    second = await added(access, NewUser("dee@example.com", "Dee", Role.ADMIN))
    async with asyncio.TaskGroup() as group:
        tries = [group.create_task(_disabled(access, user)) for user in (ana, second)]
    assert sorted(task.result() for task in tries) == [False, True]


async def _disabled(access: Access, user: User) -> bool:
    try:
        await access.disable(user.id)
    except AccessRefusedError:
        return False
    return True


async def test_a_changed_role_holds_for_open_sessions(access: Access) -> None:
    await added(access, ANA)
    bo = await added(access, BO)
    session = await signed_in(access, BO.email)
    await access.change_role(bo.id, Role.MANAGER)
    found = await access.session(session.token)
    assert found is not None
    assert found.user.role is Role.MANAGER


async def test_people_are_found_by_address_and_role(access: Access) -> None:
    ana, bo = await added(access, ANA), await added(access, BO)
    assert await access.user_by_email(" BO@example.com") == bo
    assert await access.user_by_email("nobody@example.com") is None
    assert await access.user(ana.id) == ana
    assert await access.users_with_role(Role.REP) == [bo]
    assert await access.users_with_at_least("rep") == [ana, bo]
    assert await access.list_users() == [ana, bo]


async def test_a_profile_is_changed_without_touching_the_rest(access: Access) -> None:
    bo = await added(access, BO)
    await access.change_profile(
        bo.id, NewUser("x@example.com", "Bo B", zone="Europe/Stockholm", locale="sv", phone="+46")
    )
    found = await access.user(bo.id)
    assert found is not None
    assert (found.email, found.name, found.zone, found.phone, found.role) == (
        "bo@example.com",
        "Bo B",
        "Europe/Stockholm",
        "+46",
        Role.REP,
    )


async def test_nobody_there_is_said(access: Access) -> None:
    for change in (access.disable(random_id()), access.enable(random_id()), access.renew_link(random_id())):
        with pytest.raises(AccessRefusedError, match="no such account"):
            await change


async def test_a_key_opens_its_scopes_until_it_expires_or_is_revoked(
    access: Access, clock: FixedClock
) -> None:
    ana = await added(access, ANA)
    key, text = await access.create_key("loader", {Scope.SCORES_READ}, timedelta(days=1), by=ana)
    assert text.startswith(key.prefix)
    principal = await access.key_principal(text)
    assert principal is not None
    assert (principal.name, principal.scopes, principal.actor) == (
        "loader",
        frozenset({Scope.SCORES_READ}),
        f"key:{key.id}",
    )
    clock.advance(timedelta(days=1))
    assert await access.key_principal(text) is None
    forever, text = await access.create_key("loader", {Scope.SCORES_READ})
    assert await access.revoke_key(forever.id)
    assert not await access.revoke_key(forever.id)
    assert await access.key_principal(text) is None


async def test_the_use_of_a_key_is_noted(access: Access, clock: FixedClock) -> None:
    _, text = await access.create_key("loader", {Scope.SCORES_READ})
    await access.key_principal(text)
    clock.advance(timedelta(minutes=5))
    await access.key_principal(text)
    [listed] = await access.list_keys()
    assert listed.last_used_at == clock.now()


@pytest.mark.parametrize(
    "text", ["", "aw_", "aw_x.y", "x" * 50, "aw_" + "x" * 1_000_000, "aw_\x00", "aw_\ud800"]
)
async def test_garbage_is_no_key(access: Access, text: str) -> None:
    assert await access.key_principal(text) is None


@pytest.mark.parametrize(
    ("name", "scopes", "field"), [(" ", {Scope.SCORES_READ}, "name"), ("x", set(), "scopes")]
)
async def test_a_key_needs_a_name_and_a_scope(
    access: Access, name: str, scopes: set[Scope], field: str
) -> None:
    with pytest.raises(AccessRefusedError) as caught:
        await access.create_key(name, scopes)
    assert caught.value.field == field


async def test_a_revoked_token_is_known(conn: Connection, clock: FixedClock) -> None:
    mine, other = derive("survey", 1), derive("survey", 2)
    await store.revoke_token(conn, "answer", mine, "leaked", clock.now())
    await store.revoke_token(conn, "answer", mine, "leaked", clock.now())
    assert await store.revoked(conn, "answer", [mine, other]) == {mine}
    assert await store.revoked(conn, "unsubscribe", [mine]) == set()


async def test_the_audit_log_is_append_only_and_chained(
    access: Access, access_db: Database, conn: Connection
) -> None:
    await added(access, ANA)
    await signed_in(access)
    assert await store.first_broken_audit_row(conn) is None
    actions = [row["action"] for row in await conn.fetch("select action from access.audit order by id")]
    assert actions == ["user.invited", "user.password_set", "session.opened"]
    for change in (
        "update access.audit set actor = 'x'",
        "delete from access.audit",
        "truncate access.audit",
    ):
        with pytest.raises(asyncpg.RaiseError, match="append only"):
            await conn.execute(change)


@pytest.mark.parametrize(
    ("tamper", "broken"),
    [
        ('update access.audit set detail = \'{"role": "viewer"}\' where id = 1', 1),
        ("delete from access.audit where id = 2", 3),
        ("delete from access.audit where id = 1", 2),
    ],
)
async def test_tampering_with_the_audit_log_is_found(
    access: Access, conn: Connection, tamper: str, broken: int
) -> None:
    await added(access, ANA)
    await signed_in(access)
    await conn.execute("alter table access.audit disable trigger all")
    await conn.execute(tamper)
    assert await store.first_broken_audit_row(conn) == broken


async def test_the_audit_log_names_nobody(access: Access, conn: Connection) -> None:
    await added(access, ANA)
    text = str(await conn.fetch("select * from access.audit")).lower()
    assert "ana" not in text.replace("manage", "")
    assert "example.com" not in text
