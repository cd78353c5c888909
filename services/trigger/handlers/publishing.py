"""Programmes as the check read them become the programmes that run, and the others are told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from services.trigger.domain.findings import Checked, Finding, Report
from services.trigger.domain.programme import edition_of
from services.trigger.store import audiences, programmes
from services.trigger.store.programmes import Standing
from shared.contracts.model import Family
from shared.contracts.programmes import ProgrammePublished, ProgrammeState
from shared.db.database import Tx
from shared.runtime.logging import get_logger

log = get_logger("programmes")


async def publish(tx: Tx, report: Report, also: Sequence[Finding] = ()) -> int:
    """Bring the published programmes in line with what a check could read; returns how many changed.

    `also` are complaints about other files, which are only kept to be shown.
    """
    standing = {one.key: one for one in await programmes.standings(tx.conn)}
    broken = report.broken_files()
    regrouped = await _publish_groups(tx, report, broken)
    changed = 0
    for checked in report.programmes:
        if checked.file not in broken:
            changed += await _publish_one(tx, checked, standing.get(checked.edition.key))
    changed += await _retell(tx, regrouped, standing)
    if not broken and report.programmes:
        keys = {checked.edition.key for checked in report.programmes}
        gone = [s for s in standing.values() if s.key not in keys and s.state is not ProgrammeState.ARCHIVED]
        for one in gone:
            await programmes.set_state(tx.conn, one.key, ProgrammeState.ARCHIVED, tx.now)
            await audiences.forget_seeding(tx.conn, one.key)
            await announce(tx, one.key)
            changed += 1
    await programmes.replace_findings(tx.conn, (*report.findings, *also))
    return changed


async def announce(tx: Tx, key: str) -> None:
    """Tell the others about a programme as it stands now."""
    found = [one for one in await programmes.standings(tx.conn) if one.key == key]
    definition = await programmes.definition_of(tx.conn, key)
    if found and definition is not None:
        groups = await programmes.groups(tx.conn)
        event = announcement(found[0], definition, groups)
        tx.emit(event, identity=f"{key}/{found[0].revision}", key=key)


def announcement(
    one: Standing, definition: Mapping[str, Any], groups: Mapping[str, dict[str, Any]]
) -> ProgrammePublished:
    """The event about a programme as it stands, with its group's objective and goal."""
    rules = edition_of(dict(definition), one.shown).programme
    return ProgrammePublished(
        programme=one.key,
        version=one.version,
        revision=one.revision,
        state=one.shown,
        family=Family(str(definition["family"])),
        definition=dict(definition),
        group=groups.get(str(definition.get("group", "")), {}),
        form=rules.form,
        letter=rules.signed,
        channels=rules.send.channels,
        close_the_loop=rules.loop,
        breakdown=rules.breakdown,
        stage=rules.stage,
        open_for_days=min(max(rules.send.open_for.rough.days, 1), 45),
    )


async def _publish_groups(tx: Tx, report: Report, broken: frozenset[str]) -> frozenset[str]:
    """Keep the groups that could be read; returns the keys of those that changed."""
    wanted = dict(report.groups.definitions)
    if report.groups.file in broken or (broken and not wanted):
        return frozenset()
    known = await programmes.groups(tx.conn)
    changed = {key for key in wanted.keys() | known.keys() if wanted.get(key) != known.get(key)}
    if changed:
        await programmes.replace_groups(tx.conn, wanted)
    return frozenset(changed)


async def _retell(tx: Tx, groups: frozenset[str], before: Mapping[str, Standing]) -> int:
    """Announce anew the programmes of groups that changed, unless they were just announced."""
    told = 0
    for one in await programmes.standings(tx.conn) if groups else ():
        definition = await programmes.definition_of(tx.conn, one.key) or {}
        if definition.get("group") in groups and before.get(one.key) == one:
            await programmes.bump(tx.conn, one.key)
            await announce(tx, one.key)
            told += 1
    return told


async def _publish_one(tx: Tx, checked: Checked, standing: Standing | None) -> int:
    edition = checked.edition
    same = standing and standing.version == edition.version and standing.state == edition.programme.state
    if same:
        return 0
    await programmes.save_edition(tx.conn, edition, checked.definition, checked.file, tx.now)
    await announce(tx, edition.key)
    log.info("programme_published", programme=edition.key, version=edition.version)
    return 1
