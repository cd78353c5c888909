"""Who may do what, as data: four roles, each with all rights of the one below, and the scopes of the API."""

from collections.abc import Mapping
from enum import StrEnum


class Role(StrEnum):
    """What a person may do. Compare with `includes`, not by text."""

    VIEWER = "viewer"
    REP = "rep"
    MANAGER = "manager"
    ADMIN = "admin"

    def includes(self, other: "Role") -> bool:
        """Whether this role may do all that the other may."""
        return _RANK[self] >= _RANK[other]


_RANK: Mapping[Role, int] = {role: rank for rank, role in enumerate(Role)}


class Scope(StrEnum):
    """One right of the API, `what:read` or `what:write`. A key holds some; a person has those of the role."""

    SCORES_READ = "scores:read"
    PROGRAMMES_READ = "programmes:read"
    DECISIONS_READ = "decisions:read"
    CONTACTS_READ = "contacts:read"
    ACCOUNTS_READ = "accounts:read"
    MESSAGES_READ = "messages:read"
    MESSAGES_WRITE = "messages:write"
    RESPONSES_READ = "responses:read"
    INCENTIVES_WRITE = "incentives:write"
    TICKETS_READ = "tickets:read"
    TICKETS_WRITE = "tickets:write"
    ROTA_READ = "rota:read"
    ROTA_WRITE = "rota:write"
    BRAKE_READ = "brake:read"
    BRAKE_WRITE = "brake:write"
    PROGRAMMES_WRITE = "programmes:write"
    CONTACTS_WRITE = "contacts:write"
    ACCOUNTS_WRITE = "accounts:write"
    EXPORTS_READ = "exports:read"
    TOUCHPOINTS_WRITE = "touchpoints:write"
    SETTINGS_READ = "settings:read"
    SETTINGS_WRITE = "settings:write"
    USERS_READ = "users:read"
    USERS_WRITE = "users:write"
    KEYS_WRITE = "keys:write"
    AUDIT_READ = "audit:read"


_ADDED: Mapping[Role, frozenset[Scope]] = {
    # A viewer sees numbers, nobody's name.
    Role.VIEWER: frozenset({Scope.SCORES_READ, Scope.PROGRAMMES_READ}),
    Role.REP: frozenset(
        {
            Scope.DECISIONS_READ,
            Scope.CONTACTS_READ,
            Scope.ACCOUNTS_READ,
            Scope.MESSAGES_READ,
            Scope.RESPONSES_READ,
            Scope.TICKETS_READ,
            Scope.TICKETS_WRITE,
            Scope.ROTA_READ,
            Scope.BRAKE_READ,
            Scope.SETTINGS_READ,
            Scope.USERS_READ,
        }
    ),
    Role.MANAGER: frozenset(
        {
            Scope.ROTA_WRITE,
            Scope.BRAKE_WRITE,
            Scope.MESSAGES_WRITE,
            Scope.PROGRAMMES_WRITE,
            Scope.CONTACTS_WRITE,
            Scope.ACCOUNTS_WRITE,
            Scope.EXPORTS_READ,
            Scope.TOUCHPOINTS_WRITE,
            Scope.INCENTIVES_WRITE,
        }
    ),
    Role.ADMIN: frozenset({Scope.SETTINGS_WRITE, Scope.USERS_WRITE, Scope.KEYS_WRITE, Scope.AUDIT_READ}),
}

ROLE_SCOPES: Mapping[Role, frozenset[Scope]] = {
    role: frozenset().union(*(_ADDED[other] for other in Role if role.includes(other))) for role in Role
}
"""The scopes of each role, those of lower roles included."""
