"""Accounts of the people who use Afterword, their sessions, and the keys of programs.

Links and sessions expire in business time; waits after wrong passwords are machine time. Nothing is cached:
a revoked key, a changed role and a disabled account hold from the next request on.
"""

import hashlib
from collections.abc import Collection
from datetime import datetime, timedelta
from uuid import UUID
from zoneinfo import available_timezones

from email_validator import EmailNotValidError, validate_email

from shared.db.database import Connection, Database, Tx
from shared.runtime.clock import Clock, Machine
from shared.runtime.ids import random_id, random_token
from shared.security import access_store as store
from shared.security.passwords import Passwords, check_password
from shared.security.people import (
    AccessRefusedError,
    ApiKey,
    Invitation,
    NewUser,
    Principal,
    Session,
    SignedIn,
    SignInResult,
    Throttled,
    User,
    WrongCredentials,
)
from shared.security.roles import Role, Scope
from shared.security.throttle import Attempt, address_group, wait_before_next

SETUP_LIFETIME = timedelta(days=7)
SESSION_LIFETIME = timedelta(days=14)
ATTEMPTS_KEPT = timedelta(days=30)
KEY_USE_NOTED_EVERY = timedelta(minutes=1)
KEY_MARK = "aw_"
MAX_NAME_CHARS = 120
MAX_PHONE_CHARS = 40
MAX_TOKEN_CHARS = 128


class Access:
    """Who may come in.

    Args:
        database: Any service's; the tables are named with their schema.
        clock: Business time: what expires.
        machine: Machine time: waits after wrong passwords.
        passwords: Hashing; the default is right outside tests.
        secure: Whether people reach this installation by https: cookies then never travel without it.
    """

    def __init__(
        self,
        database: Database,
        clock: Clock,
        machine: Machine,
        *,
        passwords: Passwords | None = None,
        secure: bool = True,
    ) -> None:
        self._database = database
        self._clock = clock
        self._machine = machine
        self._passwords = passwords or Passwords()
        self.secure = secure

    def now(self) -> datetime:
        """Business time, as expiries are compared with it."""
        return self._clock.now()

    async def invite(self, new: NewUser, actor: str = "system") -> Invitation:
        """Add a person and make the one-time link with which they choose their password.

        Raises:
            AccessRefusedError: The address is unusable or taken, or another field is wrong.
        """
        new = _checked(new)
        async with self._database.begin() as tx:
            user_id = random_id()
            if not await store.save_new_user(tx.conn, user_id, new, tx.now):
                raise AccessRefusedError(
                    "email", "There is an account with this address; make a new link for it instead."
                )
            await store.audit(tx.conn, tx.now, actor, "user.invited", f"user:{user_id}", role=new.role)
            return await self._link(tx, await _existing(tx.conn, user_id))

    async def renew_link(self, user_id: UUID, actor: str = "system") -> Invitation:
        """Make a new one-time link for who lost the first or the password, which holds until it is used.

        Raises:
            AccessRefusedError: No such account, or it is disabled.
        """
        async with self._database.begin() as tx:
            user = await _existing(tx.conn, user_id)
            if not user.active:
                raise AccessRefusedError("", "The account is disabled; enable it first.")
            await store.audit(tx.conn, tx.now, actor, "user.link_renewed", f"user:{user_id}")
            return await self._link(tx, user)

    async def setup_user(self, token: str) -> User | None:
        """Whose link this is; None when it is unknown, used or expired. Looking at it does not use it up."""
        async with self._database.read() as conn:
            return await store.setup_user(conn, _sha256(token), self._clock.now())

    async def set_up(self, token: str, password: str) -> User | None:
        """Use a one-time link up and set the password; ends all sessions of the account.

        Raises:
            AccessRefusedError: The password is too weak; the link stays usable.
        """
        user = await self.setup_user(token)
        if user is None:
            return None
        check_password(password, user.email)
        stored = await self._passwords.hash(password)
        async with self._database.begin() as tx:
            if not await store.use_setup_link(tx.conn, _sha256(token), tx.now):
                return None
            await store.save_password(tx.conn, user.id, stored)
            await store.delete_sessions_of(tx.conn, user.id)
            await store.audit(tx.conn, tx.now, f"user:{user.id}", "user.password_set", f"user:{user.id}")
            return await store.user(tx.conn, user.id)

    async def sign_in(self, email: str, password: str, address: str | None) -> SignInResult:
        """Check a password and open a session.

        Args:
            email: As typed.
            password: As typed.
            address: Where the request came from; wrong tries are counted by account and by address.
        """
        typed = _typed(email)
        attempt = Attempt(_sha256(typed), address_group(address), self._machine.wall(), succeeded=False)
        async with self._database.begin() as tx:
            # Noted as failed before it is checked: parallel guesses are all counted.
            await store.lock_account(tx.conn, attempt.account)
            earlier = await store.attempts(tx.conn, attempt.account, attempt.address, attempt.at)
            wait = wait_before_next(earlier, attempt.account, attempt.address, attempt.at)
            if wait is not None:
                return Throttled(wait)
            attempt_id = await store.save_attempt(tx.conn, attempt)
            user = await store.user_by_email(tx.conn, typed)
            stored = None if user is None else await store.password_hash(tx.conn, user.id)
        # No transaction is open while the hash is computed.
        right = await self._passwords.verify(stored, password[:1024])
        if not right or user is None or not user.active:
            return WrongCredentials()
        fresh = await self._passwords.hash(password) if stored and self._passwords.outdated(stored) else None
        async with self._database.begin() as tx:
            await store.save_success(tx.conn, attempt_id, attempt.at - ATTEMPTS_KEPT)
            if fresh is not None:
                await store.save_password(tx.conn, user.id, fresh)
            return await self._open_session(tx, user)

    async def sign_out(self, token: str) -> None:
        """End the session; unknown ones are ended already."""
        async with self._database.begin() as tx:
            owner = await store.delete_session(tx.conn, _sha256(token))
            if owner is not None:
                await store.audit(tx.conn, tx.now, f"user:{owner}", "session.closed", f"user:{owner}")

    async def session(self, token: str) -> Session | None:
        """The live session of a cookie's token."""
        if not token or len(token) > MAX_TOKEN_CHARS:
            return None
        async with self._database.read() as conn:
            return await store.session(conn, _sha256(token), self._clock.now())

    async def list_users(self) -> list[User]:
        """Everybody, by name; disabled accounts too."""
        async with self._database.read() as conn:
            return await store.users(conn)

    async def user(self, user_id: UUID) -> User | None:
        """One person; disabled accounts too."""
        async with self._database.read() as conn:
            return await store.user(conn, user_id)

    async def user_by_email(self, email: str) -> User | None:
        """The person with this address, in whatever case; disabled accounts too."""
        async with self._database.read() as conn:
            return await store.user_by_email(conn, _typed(email))

    async def users_with_role(self, role: Role | str) -> list[User]:
        """The active people of exactly this role, by name."""
        async with self._database.read() as conn:
            return await store.users(conn, [Role(role)], active=True)

    async def users_with_at_least(self, role: Role | str) -> list[User]:
        """The active people who may do what this role may, by name."""
        roles = [other for other in Role if other.includes(Role(role))]
        async with self._database.read() as conn:
            return await store.users(conn, roles, active=True)

    async def change_role(self, user_id: UUID, role: Role, actor: str = "system") -> None:
        """Change what a person may do.

        Raises:
            AccessRefusedError: No such account, or nobody could administer afterwards.
        """
        async with self._database.begin() as tx:
            user = await _existing(tx.conn, user_id)
            if role is not Role.ADMIN:
                await _keep_an_admin(tx.conn, user)
            await store.save_role(tx.conn, user_id, role)
            await store.audit(
                tx.conn, tx.now, actor, "user.role_changed", f"user:{user_id}", old=user.role, new=role
            )

    async def change_profile(self, user_id: UUID, profile: NewUser, actor: str = "system") -> None:
        """Change name, zone, language and phone; address and role have their own ways.

        Raises:
            AccessRefusedError: No such account, or a field is wrong.
        """
        profile = _checked(profile)
        async with self._database.begin() as tx:
            await _existing(tx.conn, user_id)
            await store.save_profile(tx.conn, user_id, profile)
            await store.audit(tx.conn, tx.now, actor, "user.profile_changed", f"user:{user_id}")

    async def disable(self, user_id: UUID, actor: str = "system") -> None:
        """Shut an account and end its sessions at once.

        Raises:
            AccessRefusedError: No such account, or nobody could administer afterwards.
        """
        async with self._database.begin() as tx:
            await _keep_an_admin(tx.conn, await _existing(tx.conn, user_id))
            await store.save_disabled(tx.conn, user_id, tx.now)
            await store.delete_sessions_of(tx.conn, user_id)
            await store.audit(tx.conn, tx.now, actor, "user.disabled", f"user:{user_id}")

    async def enable(self, user_id: UUID, actor: str = "system") -> None:
        """Open a disabled account again, with the password it had.

        Raises:
            AccessRefusedError: No such account.
        """
        async with self._database.begin() as tx:
            await _existing(tx.conn, user_id)
            await store.save_disabled(tx.conn, user_id, None)
            await store.audit(tx.conn, tx.now, actor, "user.enabled", f"user:{user_id}")

    async def create_key(
        self, name: str, scopes: Collection[Scope], lifetime: timedelta | None = None, by: User | None = None
    ) -> tuple[ApiKey, str]:
        """Make an API key; the second value is the key itself, which is never shown again.

        Raises:
            AccessRefusedError: No name or no scope.
        """
        if not (name := name.strip()) or len(name) > MAX_NAME_CHARS or not name.isprintable():
            raise AccessRefusedError(
                "name", "Name the program that will use the key (at most 120 characters)."
            )
        if not scopes:
            raise AccessRefusedError("scopes", "Choose at least one thing that the key may do.")
        prefix, secret = KEY_MARK + random_token(6), random_token(32)
        text = f"{prefix}.{secret}"
        async with self._database.begin() as tx:
            expires_at = None if lifetime is None else tx.now + lifetime
            key = ApiKey(random_id(), name, prefix, frozenset(scopes), tx.now, expires_at, None, None)
            await store.save_api_key(tx.conn, key, _sha256(text), None if by is None else by.id)
            actor = "system" if by is None else f"user:{by.id}"
            await store.audit(
                tx.conn, tx.now, actor, "key.created", f"key:{key.id}", scopes=sorted(key.scopes)
            )
        return key, text

    async def list_keys(self) -> list[ApiKey]:
        """All keys, the newest first; revoked ones too."""
        async with self._database.read() as conn:
            return await store.api_keys(conn)

    async def revoke_key(self, key_id: UUID, actor: str = "system") -> bool:
        """Shut a key for good; False when it is unknown or shut already."""
        async with self._database.begin() as tx:
            done = await store.revoke_api_key(tx.conn, key_id, tx.now)
            if done:
                await store.audit(tx.conn, tx.now, actor, "key.revoked", f"key:{key_id}")
            return done

    async def key_principal(self, text: str) -> Principal | None:
        """Whose key this is; None when it is unknown, expired or revoked."""
        if not text.startswith(KEY_MARK) or len(text) > MAX_TOKEN_CHARS:
            return None
        now = self._clock.now()
        async with self._database.read() as conn:
            # Found by the hash of 256 random bits: an index look-up tells a guesser nothing.
            key = await store.api_key(conn, _sha256(text))
        if key is None or not key.usable(now):
            return None
        if key.last_used_at is None or now - key.last_used_at > KEY_USE_NOTED_EVERY:
            async with self._database.begin() as tx:
                await store.save_key_used(tx.conn, key.id, now, KEY_USE_NOTED_EVERY)
        return Principal.of_key(key)

    async def _link(self, tx: Tx, user: User) -> Invitation:
        token = random_token(32)
        expires_at = tx.now + SETUP_LIFETIME
        await store.save_setup_link(tx.conn, _sha256(token), user.id, tx.now, expires_at)
        return Invitation(user, token, expires_at=expires_at)

    async def _open_session(self, tx: Tx, user: User) -> SignedIn:
        token = random_token(32)
        session = Session(user, random_token(24), tx.now + SESSION_LIFETIME)
        await store.save_session(tx.conn, _sha256(token), session, tx.now)
        await store.audit(tx.conn, tx.now, f"user:{user.id}", "session.opened", f"user:{user.id}")
        return SignedIn(session, token)


def _sha256(text: str) -> bytes:
    """Fast on purpose: what is hashed is random, or only a name to count by."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()


def _typed(email: str) -> str:
    """An address as it is stored; what Postgres cannot hold can be nobody's."""
    return email.encode("utf-8", "replace").decode().replace("\x00", "").strip().lower()


async def _existing(conn: Connection, user_id: UUID) -> User:
    user = await store.user(conn, user_id)
    if user is None:
        raise AccessRefusedError("", "There is no such account; it may have been removed.")
    return user


async def _keep_an_admin(conn: Connection, user: User) -> None:
    admins = await store.lock_admins(conn)
    if admins == [user.id]:
        raise AccessRefusedError("", "This is the last admin; make somebody else admin first.")


def _checked(new: NewUser) -> NewUser:
    try:
        email = validate_email(new.email.strip(), check_deliverability=False, test_environment=True)
    except EmailNotValidError as error:
        raise AccessRefusedError("email", f"This is no e-mail address: {error}") from None
    name = " ".join(new.name.split())
    if not name or len(name) > MAX_NAME_CHARS or not name.isprintable():
        raise AccessRefusedError("name", "Enter the person's name (at most 120 characters).")
    if new.zone not in available_timezones():
        raise AccessRefusedError("zone", "Choose a time zone by its place, for example Europe/Stockholm.")
    phone = (new.phone or "").strip()
    if len(phone) > MAX_PHONE_CHARS or not phone.isprintable():
        raise AccessRefusedError("phone", "Enter the phone number with its country code, like +46 8 123 456.")
    return NewUser(email.normalized.lower(), name, new.role, new.zone, new.locale, phone or None)
