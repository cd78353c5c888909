"""Who put somebody on the list of stops or took them off, why, and which kind of address it is."""

from alembic import op

revision = "dispatch_0008"
down_revision = "dispatch_0007"
branch_labels = None
depends_on = None

STATEMENTS = (
    "alter table suppressions add column channel text, add column noted_by uuid",
    """
    alter table lifted_suppressions add column channel text, add column noted_by uuid,
        add column grounds text, add column lifted_by uuid
    """,
    """
    update suppressions s set channel = m.channel from messages m
    where s.kind = 'address' and m.address_hash = s.subject and m.channel in ('email', 'sms')
    """,
    (
        "comment on column suppressions.channel is 'What an address is: email or sms; null where a list "
        "named its hash alone, and for people, who are then written to by no channel.'"
    ),
    "comment on column suppressions.noted_by is 'User who entered it by hand or from a file.'",
    (
        "comment on column lifted_suppressions.grounds is 'agreed, works_again or mistake when somebody took "
        "it off; null when a consent of the person did.'"
    ),
    (
        "comment on column lifted_suppressions.agreed_at is 'When the person agreed again; without such "
        "grounds when it was taken off.'"
    ),
    (
        "comment on table lifted_suppressions is 'Former suppressions, lifted at lifted_at by a consent or "
        "by hand.'"
    ),
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    raise NotImplementedError("a schema is never taken back: restore a backup instead")
