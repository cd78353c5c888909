"""The values that accounts, sessions and keys are spoken of with."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from shared.errors import AfterwordError
from shared.security.roles import ROLE_SCOPES, Role, Scope


class AccessRefusedError(AfterwordError):
    """An account cannot be changed like this.

    Attributes:
        field: The field of the form that it concerns; "" when none.
        reason: What is wrong and what to do, for the person who asked.
    """

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(reason)
        self.field = field
        self.reason = reason


@dataclass(frozen=True, slots=True)
class User:
    """A person who uses Afterword. `zone` is an IANA name, `locale` a language tag."""

    id: UUID
    email: str
    name: str
    role: Role
    zone: str
    locale: str
    phone: str | None
    created_at: datetime
    disabled_at: datetime | None
    has_password: bool

    @property
    def active(self) -> bool:
        """Whether the person may sign in."""
        return self.disabled_at is None

    @property
    def state(self) -> str:
        """`active`, `invited` (no password yet) or `disabled`."""
        if self.disabled_at is not None:
            return "disabled"
        return "active" if self.has_password else "invited"


@dataclass(frozen=True, slots=True)
class NewUser:
    """What is told about a person on inviting them."""

    email: str
    name: str
    role: Role = Role.REP
    zone: str = "UTC"
    locale: str = "en"
    phone: str | None = None


@dataclass(frozen=True, slots=True)
class Invitation:
    """A one-time link, to be handed to the person; its token is stored as a hash alone."""

    user: User
    token: str = field(repr=False)
    expires_at: datetime = field(kw_only=True)

    @property
    def path(self) -> str:
        """The link's path on this installation."""
        return f"/setup/{self.token}"


@dataclass(frozen=True, slots=True)
class Session:
    """A signed-in person; `csrf` must come back with each form."""

    user: User
    csrf: str = field(repr=False)
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Signing in worked; `token` goes into the cookie."""

    session: Session
    token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class WrongCredentials:
    """No such account, another password, not set up, or disabled: the answer does not tell which."""


@dataclass(frozen=True, slots=True)
class Throttled:
    """Too many wrong tries; the next is heard after `retry_after`."""

    retry_after: timedelta


SignInResult = SignedIn | WrongCredentials | Throttled


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key of a program. The secret itself is shown once and never stored."""

    id: UUID
    name: str
    prefix: str
    scopes: frozenset[Scope]
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None
    revoked_at: datetime | None

    def usable(self, now: datetime) -> bool:
        """Whether the key opens anything at this instant."""
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)


@dataclass(frozen=True, slots=True)
class Principal:
    """Whoever calls the API: a key, or a signed-in person with the scopes of the role."""

    name: str
    scopes: frozenset[Scope]
    user: User | None = None
    key: ApiKey | None = None

    @classmethod
    def of_user(cls, user: User) -> "Principal":
        """A signed-in person."""
        return cls(user.name, ROLE_SCOPES[user.role], user=user)

    @classmethod
    def of_key(cls, key: ApiKey) -> "Principal":
        """A program."""
        return cls(key.name, key.scopes, key=key)

    @property
    def actor(self) -> str:
        """How the audit log names them: kind and id, no personal data."""
        if self.user is not None:
            return f"user:{self.user.id}"
        return f"key:{self.key.id}" if self.key is not None else "system"
