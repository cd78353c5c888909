"""The two schemas that services share, as SQL that may be run at each start: it changes nothing twice."""

KEYS_DDL = """
create schema if not exists keys;

create table if not exists keys.data_keys (
    contact_id   uuid        primary key,
    wrapped      bytea,
    kid          smallint    not null,
    created_at   timestamptz not null,
    destroyed_at timestamptz,
    constraint data_keys_destroyed_or_usable check ((wrapped is null) = (destroyed_at is not null))
);
create index if not exists data_keys_by_kid on keys.data_keys (kid) where wrapped is not null;

comment on table keys.data_keys is
    'One data key per contact, wrapped with a master key. Erasure sets wrapped to null, for good.';

create or replace function keys.refuse_resurrection() returns trigger language plpgsql as $$
begin
    if tg_op = 'DELETE' then
        raise exception 'keys.data_keys: rows are never deleted, destroy the key instead';
    end if;
    if old.destroyed_at is not null and (new.wrapped is not null or new.destroyed_at is null) then
        raise exception 'keys.data_keys: the key of contact % stays destroyed', old.contact_id;
    end if;
    return new;
end $$;

create or replace trigger data_keys_stay_destroyed before update or delete on keys.data_keys
    for each row execute function keys.refuse_resurrection();
"""

ACCESS_DDL = """
create schema if not exists access;

create table if not exists access.users (
    id                  uuid        primary key,
    email               text        not null unique,
    name                text        not null,
    role                text        not null check (role in ('viewer', 'rep', 'manager', 'admin')),
    zone                text        not null default 'UTC',
    locale              text        not null default 'en',
    phone               text,
    password_hash       text,
    created_at          timestamptz not null,
    disabled_at         timestamptz,
    constraint users_email_normalised check (email = lower(btrim(email)))
);

create table if not exists access.setup_links (
    token_sha256 bytea       primary key check (octet_length(token_sha256) = 32),
    user_id      uuid        not null references access.users (id) on delete cascade,
    created_at   timestamptz not null,
    expires_at   timestamptz not null,
    used_at      timestamptz
);
create index if not exists setup_links_by_user on access.setup_links (user_id) where used_at is null;

create table if not exists access.sessions (
    token_sha256 bytea       primary key check (octet_length(token_sha256) = 32),
    user_id      uuid        not null references access.users (id) on delete cascade,
    csrf         text        not null,
    created_at   timestamptz not null,
    expires_at   timestamptz not null
);
create index if not exists sessions_by_user on access.sessions (user_id);
create index if not exists sessions_by_expiry on access.sessions (expires_at);

create table if not exists access.api_keys (
    id            uuid        primary key,
    name          text        not null,
    prefix        text        not null unique,
    secret_sha256 bytea       not null unique check (octet_length(secret_sha256) = 32),
    scopes        text[]      not null check (cardinality(scopes) > 0),
    created_by    uuid        references access.users (id) on delete set null,
    created_at    timestamptz not null,
    expires_at    timestamptz,
    last_used_at  timestamptz,
    revoked_at    timestamptz
);

create table if not exists access.revocations (
    purpose    text        not null,
    subject    uuid        not null,
    revoked_at timestamptz not null,
    reason     text        not null,
    primary key (purpose, subject)
);
comment on table access.revocations is 'Signed tokens that are refused although their signature is right.';

create table if not exists access.sign_in_attempts (
    id        bigint      generated always as identity primary key,
    account   bytea       not null,
    address   text        not null,
    at        timestamptz not null,
    succeeded boolean     not null
);
create index if not exists sign_in_attempts_by_account on access.sign_in_attempts (account, at);
create index if not exists sign_in_attempts_by_address on access.sign_in_attempts (address, at);
comment on table access.sign_in_attempts is
    'Machine time. The account is a hash of what was typed: people type passwords into the wrong field.';

create table if not exists access.audit (
    id       bigint      primary key,
    at       timestamptz not null,
    actor    text        not null,
    action   text        not null,
    subject  text        not null,
    detail   jsonb       not null default '{}',
    previous bytea       not null,
    hash     bytea       not null
);
comment on table access.audit is
    'Append only; each row carries the hash of the one before. Ids and codes, never names or addresses.';

create or replace function access.audit_hash(
    id bigint, at timestamptz, actor text, action text, subject text, detail jsonb, previous bytea
) returns bytea language sql stable set timezone = 'UTC' as $$
    select sha256(previous || convert_to(
        jsonb_build_array(id, extract(epoch from at), actor, action, subject, detail)::text, 'UTF8'))
$$;

create or replace function access.chain_audit() returns trigger language plpgsql as $$
declare last record;
begin
    -- Held until commit: rows become visible in the order of the chain.
    perform pg_advisory_xact_lock(hashtext('access.audit'));
    select a.id, a.hash into last from access.audit a order by a.id desc limit 1;
    new.id := coalesce(last.id, 0) + 1;
    new.previous := coalesce(last.hash, '\\x');
    new.hash := access.audit_hash(
        new.id, new.at, new.actor, new.action, new.subject, new.detail, new.previous);
    return new;
end $$;

create or replace function access.refuse_change() returns trigger language plpgsql as $$
begin
    raise exception 'access.audit is append only';
end $$;

create or replace trigger audit_is_chained before insert on access.audit
    for each row execute function access.chain_audit();
create or replace trigger audit_is_append_only before update or delete on access.audit
    for each row execute function access.refuse_change();
create or replace trigger audit_is_not_emptied before truncate on access.audit
    for each statement execute function access.refuse_change();
"""
