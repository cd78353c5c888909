import pytest

from shared.security.roles import ROLE_SCOPES, Role, Scope

MATRIX = {
    Scope.SCORES_READ: Role.VIEWER,
    Scope.PROGRAMMES_READ: Role.VIEWER,
    Scope.TICKETS_READ: Role.REP,
    Scope.TICKETS_WRITE: Role.REP,
    Scope.CONTACTS_READ: Role.REP,
    Scope.DECISIONS_READ: Role.REP,
    Scope.BRAKE_WRITE: Role.MANAGER,
    Scope.ROTA_WRITE: Role.MANAGER,
    Scope.TOUCHPOINTS_WRITE: Role.MANAGER,
    Scope.INCENTIVES_WRITE: Role.MANAGER,
    Scope.SETTINGS_WRITE: Role.ADMIN,
    Scope.USERS_WRITE: Role.ADMIN,
    Scope.KEYS_WRITE: Role.ADMIN,
}


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize(("scope", "lowest"), MATRIX.items())
def test_a_scope_begins_at_a_role(role: Role, scope: Scope, lowest: Role) -> None:
    assert (scope in ROLE_SCOPES[role]) is role.includes(lowest)


def test_roles_are_ordered() -> None:
    assert [role for role in Role if Role.MANAGER.includes(role)] == [Role.VIEWER, Role.REP, Role.MANAGER]


def test_an_admin_has_every_scope() -> None:
    assert ROLE_SCOPES[Role.ADMIN] == set(Scope)
