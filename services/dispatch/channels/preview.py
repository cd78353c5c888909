"""How the messages of a programme look before anybody gets one: by channel, language and step, to nobody."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from babel.dates import format_date

from services.dispatch.channels.render import Renderer
from services.dispatch.domain.letter import Ask, Letter, Links, Reader, invite
from services.dispatch.domain.model import Claimed, read_texts
from services.dispatch.domain.sms import Length, measure, survey_text
from services.dispatch.domain.text import UnsafeText
from services.dispatch.domain.told import survey_told
from services.dispatch.domain.wording import LANGUAGES, language_of
from shared.contracts.directory import OrganisationChanged
from shared.contracts.model import Channel, Family, Person, Snapshot

NOBODY = Person(name="Alex Example", email="alex@example.com")
SAMPLES: Mapping[str, str] = {
    "product": "Example Cloud",
    "account": "Example Ltd",
    "account_owner": "Maria Lind",
    "agent": "Sam Rivers",
    "subject": "A-1001",
}
"""Values of the slots that an event would tell; those of person, organisation and day are made."""

# As long as a real one: how many parts a text message takes hangs on it.
TOKEN = ("preview" * 7)[:44]
_OPEN_FOR = timedelta(days=30)
_RENEWS_IN = timedelta(days=60)
_ID = UUID(int=0)
_DARK = "(prefers-color-scheme: dark)"


class Step(StrEnum):
    """Which message of a survey: the first, a reminder, or one to somebody who began to answer."""

    INVITATION = "invitation"
    REMINDER = "reminder"
    STARTED = "started"


class Look(StrEnum):
    """In which light a mail is shown; `own` as the reader's own screen has it."""

    OWN = "own"
    LIGHT = "light"
    DARK = "dark"


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which message of a programme is to be shown; `line`: of several subjects, "" for the first."""

    programme: str
    locale: str = "en"
    channel: Channel = Channel.EMAIL
    step: Step = Step.INVITATION
    line: str = ""


@dataclass(frozen=True, slots=True)
class Preview:
    """A message as it would leave.

    Attributes:
        text: what is sent, or for a mail its text part.
        html: of a mail alone.
        length: of a text message alone.
        translated: whether the programme's own words stand in that language.
    """

    subject: str
    sender: str
    preheader: str
    text: str
    html: str = ""
    length: Length | None = None
    translated: bool = True


@dataclass(frozen=True, slots=True)
class Studio:
    """Shows messages as this installation would send them."""

    renderer: Renderer
    public_url: str
    sms_replies: bool = False

    def show(self, content: str, organisation: OrganisationChanged, wanted: Wanted, now: datetime) -> Preview:
        """One message of a programme; `content` is its form and letter as they are kept.

        Raises:
            UnsafeText: a text could break the message, as it would when it is sent; or there is no such line.
        """
        form, texts = read_texts(content)
        lines = [line.id for line in texts.subjects]
        if wanted.line and wanted.line not in lines:
            known = ", ".join(lines) or "none"
            raise UnsafeText(f"letter.subjects: there is no {wanted.line!r}; there are {known}")
        base = (organisation.public_url or self.public_url).rstrip("/")
        links = Links(f"{base}/u/{TOKEN}", f"{base}/s/{TOKEN}")
        reader = Reader(NOBODY, _snapshot(wanted), _slots(wanted.locale, now))
        reminder = wanted.step is not Step.INVITATION
        started, line = wanted.step is Step.STARTED, wanted.line or (lines[0] if lines else "")
        ask = Ask(texts, form, now + _OPEN_FOR, reminder, started=started, line=line)
        letter = invite(ask, reader, organisation, links)
        text = self._text(letter, wanted, now)
        return Preview(
            subject=letter.subject,
            sender=f"{letter.frame.sender_name} <{letter.frame.sender}>",
            preheader=letter.preheader,
            text=text,
            html=self.renderer.render(letter).html if wanted.channel is Channel.EMAIL else "",
            length=measure(text) if wanted.channel is Channel.SMS else None,
            translated=_base(wanted.locale) in {_base(tag) for tag, words in texts.subject.items() if words},
        )

    def _text(self, letter: Letter, wanted: Wanted, now: datetime) -> str:
        match wanted.channel:
            case Channel.EMAIL:
                return self.renderer.render(letter).text
            case Channel.SMS:
                reminder = wanted.step is not Step.INVITATION
                return survey_text(letter, reminder=reminder, replies=self.sms_replies)
            case Channel.IN_APP:
                return _in_the_product(letter)
            case Channel.LINK | Channel.SHARED_LINK | Channel.FORM:
                return letter.links.survey
            case Channel.WEBHOOK:
                told = json.loads(survey_told(letter, _claimed(wanted, now), _snapshot(wanted), now))
                return json.dumps(told, ensure_ascii=False, indent=2)


def locales_of(content: str) -> tuple[str, ...]:
    """Languages worth a look: those that the programme is written in, then those of the fixed texts."""
    own = [tag for tag, text in read_texts(content)[1].subject.items() if text]
    return tuple(dict.fromkeys((*own, *LANGUAGES)))


def lines_of(content: str) -> tuple[str, ...]:
    """Ids of the subjects of a programme that tries several."""
    return tuple(line.id for line in read_texts(content)[1].subjects)


def in_light(html: str, look: Look) -> str:
    """A mail in the light that was chosen, whatever the screen that shows it prefers."""
    match look:
        case Look.OWN:
            return html
        case Look.LIGHT:
            return html.replace(_DARK, "not all")
        case Look.DARK:
            return html.replace(_DARK, "all")


def _in_the_product(letter: Letter) -> str:
    """What the widget shows."""
    row = letter.row
    if row is None:
        return letter.subject
    lowest, highest = row.scores[0][0], row.scores[-1][0]
    scale = "  ".join(f"[{name}]" for name in row.names)
    ends = f"\n{lowest} = {row.low}, {highest} = {row.high}" if row.numbered else ""
    promise = f"{letter.incentive}\n\n" if letter.incentive else ""
    return f"{promise}{row.question}\n\n{scale}{ends}"


def _base(locale: str) -> str:
    return locale.replace("_", "-").partition("-")[0].lower()


def _slots(locale: str, now: datetime) -> dict[str, str]:
    day = format_date((now + _RENEWS_IN).date(), "long", locale=language_of(locale))
    return {**SAMPLES, "renewal_date": str(day)}


def _snapshot(wanted: Wanted) -> Snapshot:
    return Snapshot(
        programme=wanted.programme,
        version="preview",
        family=Family.TRANSACTIONAL,
        touchpoint="preview",
        contact_id=str(_ID),
        account_name=SAMPLES["account"],
        product=SAMPLES["product"],
        subject_id=SAMPLES["subject"],
        locale=wanted.locale,
        zone="UTC",
        channel=wanted.channel,
        test=True,
    )


def _claimed(wanted: Wanted, now: datetime) -> Claimed:
    """A message of nobody, for the channels that tell of the message itself."""
    snapshot = _snapshot(wanted)
    return Claimed(
        delivery_id=_ID,
        of_survey=True,
        survey_id=_ID,
        kind=wanted.step.value,
        step=0 if wanted.step is Step.INVITATION else 1,
        channel=wanted.channel,
        contact_id=_ID,
        programme=wanted.programme,
        snapshot=snapshot.model_dump_json(),
        person="",
        slots={},
        texts="",
        attempts=0,
        expires_at=now + _OPEN_FOR,
        closes_at=now + _OPEN_FOR,
    )
