"""The mails that both sides write: the same survey to different people."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from uuid import UUID

from benchmarks.company import write_programmes
from benchmarks.kit import ROOT
from services.dispatch.channels.render import Renderer
from services.dispatch.domain.address import Address
from services.dispatch.domain.look import Go
from services.dispatch.domain.model import Claimed
from services.dispatch.worker.preparing import Desk, Examined
from services.trigger.domain.lint import check
from services.trigger.worker.publisher import read_folder
from shared.contracts.directory import Brand, OrganisationChanged, Sender
from shared.contracts.model import Channel, Family, Person, Snapshot
from shared.runtime.ids import derive
from shared.security.keyring import KeyRing
from shared.security.sealing import Sealer
from shared.security.tokens import Tokens

NOW = datetime(2026, 3, 4, 9, 30, tzinfo=UTC)
ORGANISATION = OrganisationChanged(
    version=1,
    name="Nordlicht",
    brand=Brand(name="Nordlicht", address="Storgatan 1, Stockholm", colour="#1f5eff"),
    sender=Sender(name="Maria Lind", email="maria@nordlicht.example"),
    public_url="https://ask.nordlicht.example",
)
CONTACT = UUID(int=1)


def desk() -> Desk:
    """What dispatch words mails with."""
    sealer = Sealer(KeyRing(1, {1: b"m" * 32}), b"b" * 32, lambda: NOW)
    return Desk(sealer, Tokens(KeyRing(1, {1: b"t" * 32})), Renderer(), "https://ask.nordlicht.example")


def claimed(number: int) -> Examined:
    """One message that passed the last look; the person is in clear."""
    survey = derive("survey", number)
    message = Claimed(
        delivery_id=derive("delivery", number), of_survey=True, survey_id=survey, kind="invitation", step=0,
        channel=Channel.EMAIL, contact_id=CONTACT, programme="programme-0", snapshot=_SNAPSHOT, person="",
        slots={"subject": f"T-{number}", "product": "Routes", "agent": "Jonas"}, texts=_TEXTS, attempts=0,
        expires_at=NOW + timedelta(days=7), closes_at=NOW + timedelta(days=30),
    )  # fmt: skip
    person = Person(name=f"Anna Öberg {number}", email=f"anna{number}@customer.example")
    return Examined(message, person, Address(f"anna{number}", "customer.example"), "", Go())


def _texts() -> str:
    folder = write_programmes(ROOT / ".artifacts" / "bench-dispatch" / "programmes", 1)
    programme = check(read_folder(folder), ("en", "es", "sv")).programmes[0].edition.programme
    whole = {
        "form": programme.form.model_dump(mode="json"),
        "letter": programme.wording.model_dump(mode="json"),
    }
    return json.dumps(whole)


_TEXTS = _texts()
_SNAPSHOT = Snapshot(
    programme="programme-0", version="v", family=Family.TRANSACTIONAL,
    touchpoint="support_ticket.resolved", contact_id=str(CONTACT), account_name="Acme", locale="sv",
    zone="Europe/Stockholm",
).model_dump_json()  # fmt: skip
