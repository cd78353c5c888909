"""A million stored answers and what stands beside them: customers, comments, what happened."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime
from random import Random
from uuid import UUID

import orjson

from benchmarks.company import sealer
from benchmarks.scoring.load import answers
from services.scoring.store import bindings, clusterings, fates, outcomes, products
from services.scoring.store.directory import Programme, save_programmes
from shared.bus.model import Outgoing
from shared.contracts.responses import Words
from shared.db.database import Database, Tx
from shared.runtime.ids import derive
from shared.words.dictionary import compiled
from shared.words.file import dictionary_of

NOW = datetime(2026, 3, 4, tzinfo=UTC)
PROGRAMMES, PENS = 25, 500
"""Programmes as the answers name them; people of whom each comment is by one."""

RATED = ("quality", "price", "support", "reliability", "documentation")
"""What every satisfaction survey asks to be rated besides."""

THEMES = ("support_speed", "support_quality", "reliability", "speed", "usability", "features")
TONES = ("negative", "neutral", "positive")
_TEXTS = (
    "The delivery was late again and nobody informed us, although we had asked twice.",
    "Support is great, but the invoices are never right and each correction takes a week.",
    "It does what it should. Setting it up took longer than promised.",
    "Leveransen kom tre dagar för sent och två kartonger var trasiga.",
    "El soporte tarda mucho, aunque el equipo es muy amable.",
)
_ACCOUNT = "('00000000-0000-0000-0000-' || lpad(to_hex(n + 1), 12, '0'))::uuid"
"""The id of customer number n, as the answers have it."""

_AROUND = (
    """
    insert into accounts
    select {account}, 1, 'Customer number ' || n, (array['small', 'small', 'key', 'premium'])[1 + n % 4],
        (array['saas', 'manufacturing', 'marketing', 'fintech', 'logistics', 'services'])[1 + n % 6],
        (array['1-9', '10-49', '50-249', '250+'])[1 + n % 4], 'owner' || n % 20 || '@example.com',
        (array['emea', 'amer', 'apac', 'nordics', 'iberia'])[1 + n % 5], 1000 + n * 37 % 90000,
        (array['onboarding', 'use', 'renewal'])[1 + n % 3], date '2023-03-01' + n % 900,
        date '2026-03-04' + n % 365
    from generate_series(0, 1999) n
    """,
    """
    insert into people
    select distinct on (contact_id) contact_id, 1, account_id, persona, snapshot ->> 'job_function'
    from answer_facts where day > date '2026-02-12' and contact_id is not null order by contact_id
    """,
    """
    insert into cases
    select md5('case' || c)::uuid, 1, {account}, case when c < 400 then 'open' else 'closed' end,
        timestamptz '2026-03-04' - c * interval '1 hour', timestamptz '2026-03-05' - c * interval '1 hour',
        timestamptz '2026-03-04' - c * interval '30 minutes'
    from (select c, c % 2000 as n from generate_series(0, 9999) c) numbered
    """,
    """
    insert into happenings
    select '/crm', 'usage-' || n || '-' || past, 'usage', '',
        timestamptz '2026-03-01' - past * interval '30 days', {account}, 'suite',
        40 + (n * 7 + past * 13) % 60, ''
    from generate_series(0, 1999) n, generate_series(0, 23) past
    """,
    """
    insert into happenings
    select '/crm', 'support-' || n || '-' || nth, 'support_ticket', 'support_ticket.opened',
        timestamptz '2026-03-03' - (nth * 31 + n % 31) * interval '1 day', {account}, 'suite', null, ''
    from generate_series(0, 1999) n, generate_series(0, 9) nth
    """,
    """
    insert into happenings
    select '/crm', 'end-' || n, case when n % 9 = 0 then 'churn' else 'renewal' end, '',
        timestamptz '2026-03-03' - (n % 360) * interval '1 day', {account}, 'suite', null, ''
    from generate_series(0, 1999) n
    """,
    """
    insert into happenings
    select '/git', kind || nth, kind, kind || '.told', timestamptz '2026-03-01' - nth * interval '29 days',
        null, 'suite', null, initcap(replace(kind, '_', ' ')) || ' number ' || nth
    from unnest(array['release', 'incident', 'change_shipped']) kind, generate_series(0, 11) nth
    """,
    "update rate_cells set requested = answered * 3, handed_over = answered * 3",
    """
    insert into drops
    select 'csat/transactional/programme-' || n, date '2026-03-01' - n, 'csat', 'transactional',
        'programme-' || n, 71, 58, 240, 180, 0.001
    from unnest(array[1, 2, 6]) n
    """,
)
_COMMENTS = """
insert into comments (response_id, version, contact_id, words, day, programme, family, language, tone,
    at_odds, quotable, themes, tones, dictionary, account_id)
select response_id, version, pens[1 + at % cardinality(pens)], texts[1 + at % cardinality(texts)], day,
    programme, family, (array['en', 'en', 'sv', 'es'])[1 + at % 4], ($4::text[])[1 + at % 3], at % 17 = 0,
    at % 10 = 0, array[($3::text[])[1 + at % 6], ($3::text[])[1 + (at % 6 + 1 + at / 6 % 5) % 6]],
    array[($4::text[])[1 + at % 3], ($4::text[])[1 + at / 7 % 3]], $5, account_id
from (
    select *, ('x' || substr(md5(response_id::text), 1, 7))::bit(28)::int as at from answer_facts
    where state = 'counted'
) f, (select $1::uuid[] as pens, $2::text[] as texts) as written
where at % 5 = 0
"""


def rated_answers(count: int, seed: int) -> Iterator[Outgoing]:
    """The answers that scoring is measured with; where satisfaction is asked for, parts are rated too."""
    draw = Random(seed)
    for outgoing in answers(count, seed):
        said = orjson.loads(outgoing.value or b"")
        (primary,) = said["scores"]
        if primary["type"] == "csat":
            said["scores"] += [
                {
                    "question": "parts", "type": "matrix", "item": item,
                    "value": min(5, max(1, primary["value"] + draw.choice((-2, -1, 0, 0, 1, 2)))),
                }
                for item in RATED
            ]  # fmt: skip
        yield Outgoing(outgoing.topic, outgoing.key, orjson.dumps(said), outgoing.headers)


async def surround(db: Database) -> None:
    """Fill in what pages show besides answers: one comment to five of them, by a few hundred people."""
    pens = [derive("pen", number) for number in range(PENS)]
    async with db.begin() as tx:
        await tx.conn.execute("set local statement_timeout to 0")
        for statement in _AROUND:
            await tx.conn.execute(statement.replace("{account}", _ACCOUNT), timeout=600)
        await save_programmes(tx.conn, [_programme(number) for number in range(PROGRAMMES)])
        await _comments(tx, pens)
        await fates.count_all(tx.conn)
        for number in range(PROGRAMMES):
            await clusterings.learn(tx.conn, f"programme-{number}", NOW)
        for family in await clusterings.families(tx.conn):
            await clusterings.learn_together(tx.conn, family, NOW)
            await bindings.learn(tx.conn, family, NOW)
        await products.learn(tx.conn, NOW)
        await outcomes.learn(tx.conn, NOW.date())
        await tx.conn.execute("analyze", timeout=600)


async def _comments(tx: Tx, pens: list[UUID]) -> None:
    spoken = [Words(texts={"why": _TEXTS[number % len(_TEXTS)]}) for number in range(PENS)]
    sealed = await sealer().seal(tx.conn, list(zip(pens, spoken, strict=True)))
    version = compiled(dictionary_of(None)).version
    await tx.conn.execute(_COMMENTS, pens, sealed, list(THEMES), list(TONES), version, timeout=600)


def _programme(number: int) -> Programme:
    goal = {"goal": {"metric": "csat", "change": "+5", "baseline": "6mo", "by": "2026-09-30"}, "title": {}}
    words = {item: {"en": item.title()} for item in RATED}
    return Programme(
        f"programme-{number}",
        1,
        "relationship" if number % 5 == 0 else "transactional",
        json.dumps({"en": f"Survey number {number}", "sv": f"Enkät nummer {number}"}),
        json.dumps(words),
        "[]",
        f"group-{number % 5}",
        json.dumps(goal),
        date(2025, 12, 1),
        json.dumps([f"moment-{number}.passed"]),
        "active",
        number % 2 == 0,
    )
