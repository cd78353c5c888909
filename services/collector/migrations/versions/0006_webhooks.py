"""Endpoints of customers, what they are told, and each attempt to tell it."""

from alembic import op

revision = "collector_0006"
down_revision = "collector_0005"
branch_labels = None
depends_on = None

_TABLES = """
create table webhook_endpoints (
    id uuid primary key,
    url text not null,
    topics text[] not null,
    programmes text[] not null,
    description text not null,
    created_at timestamptz not null,
    created_by text not null,
    active boolean not null default true,
    off_because text not null default '',
    generation int not null default 1,
    rotated_at timestamptz
);
comment on column webhook_endpoints.generation is 'Which secret it is; secrets are derived, not stored.';

create table webhook_deliveries (
    id uuid primary key,
    endpoint_id uuid not null references webhook_endpoints (id) on delete cascade,
    topic text not null,
    survey_id uuid,
    event int not null,
    answer_version int not null,
    made_at timestamptz not null,
    state text not null check (state in ('pending', 'delivered', 'failed')),
    due_at timestamptz not null,
    attempts int not null default 0,
    tries int not null default 0,
    lease_token uuid,
    lease_until timestamptz
);
create index webhook_deliveries_due on webhook_deliveries (endpoint_id, due_at) where state = 'pending';
create index webhook_deliveries_made on webhook_deliveries (endpoint_id, made_at, id);
comment on table webhook_deliveries is
    'No body is kept: it is made anew from the answer for each attempt, and after an erasure has no person.';
comment on column webhook_deliveries.attempts is 'All of them; tries counts those since the last replay.';

create table webhook_attempts (
    delivery_id uuid not null references webhook_deliveries (id) on delete cascade,
    number int not null,
    at timestamptz not null,
    status int not null,
    error text not null,
    millis int not null,
    primary key (delivery_id, number)
);
"""


def upgrade() -> None:
    for statement in filter(str.strip, _TABLES.split(";\n")):
        op.execute(statement)


def downgrade() -> None:
    for table in ("webhook_attempts", "webhook_deliveries", "webhook_endpoints"):
        op.execute(f"drop table {table}")
