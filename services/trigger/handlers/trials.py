"""Send me a test: the real mail through dispatch, the real page at the collector, counted nowhere."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from services.trigger import metrics
from services.trigger.domain.model import Contact, Decision, Reach, identity
from services.trigger.domain.programme import Edition
from services.trigger.domain.trials import Expected, Trial, expected, trial_survey
from services.trigger.handlers import people
from services.trigger.store import directory, ledger, programmes
from shared.contracts.model import Person
from shared.contracts.programmes import ProgrammeState
from shared.contracts.reasons import Outcome
from shared.db.database import Connection, Tx
from shared.errors import Unavailable
from shared.security.sealing import Sealer
from shared.security.tokens import Tokens


class NoTrialError(ValueError):
    """A programme cannot be tried, or not by this address; says why."""


@dataclass(frozen=True, slots=True)
class Sent:
    """A test on its way: its survey, the page's address, and what an answer of the kind would bring."""

    survey_id: str
    locale: str
    link: str
    expected: Expected | None


async def send_trial(
    tx: Tx, sealer: Sealer, tokens: Tokens, programme: str, trial: Trial, *, by: str
) -> Sent:
    """Send a test of the programme as it is now; the same reference again changes nothing.

    Raises:
        NoTrialError: There is no such programme, it is archived, or the person's data were erased.
    """
    edition = await _edition(tx.conn, programme)
    organisation = await programmes.get_organisation(tx.conn)
    if organisation is None:
        raise Unavailable("the organisation's settings are not written yet")
    contact = await _tester(tx.conn, sealer, trial)
    survey = trial_survey(trial, edition, contact, organisation, tx.now)
    tx.emit(survey, identity=survey.survey_id, key=survey.snapshot.key)
    line = Decision(
        outcome=Outcome.REQUESTED,
        programme=edition.key,
        version=edition.version,
        contact_id=contact.id,
        inputs={"test": True, "by_hand_of": by},
    )
    await ledger.write(tx.conn, tx.now, [("", line)])
    metrics.TESTS.inc()
    link = f"{organisation.public_url}/s/{tokens.sign('answer', UUID(survey.survey_id))}"
    found = expected(edition, trial.like, survey.snapshot.locale) if trial.like else None
    return Sent(
        survey.survey_id, survey.snapshot.locale, f"{link}?score={found.score}" if found else link, found
    )


async def _edition(conn: Connection, programme: str) -> Edition:
    known = {edition.key: edition for edition in await programmes.current_editions(conn)}
    edition = known.get(programme)
    if edition is None:
        raise NoTrialError(f"there is no programme {programme!r}")
    if edition.state is ProgrammeState.ARCHIVED:
        raise NoTrialError(f"{programme!r} is archived")
    return edition


async def _tester(conn: Connection, sealer: Sealer, trial: Trial) -> Contact:
    """Who tries it: a contact if the address is one's, so that an erasure reaches the test too."""
    known = await people.find_contact(conn, sealer, trial.email)
    if known:
        contact = (await directory.get_contacts(conn, [known])).get(known)
        if contact and contact.erased_at:
            raise NoTrialError("the data of whoever has this address were erased")
    ident = known or identity("trial", sealer.blind("email", trial.email))
    (sealed,) = await sealer.seal(conn, [(ident, Person(name=trial.name, email=trial.email))])
    return Contact(id=ident, person=sealed, reach=Reach.OK)
