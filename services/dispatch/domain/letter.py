"""What a mail says, before it has a form: the words, the score links, the sender and the ways out."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import lru_cache
from uuid import UUID
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from babel.dates import format_date, format_timedelta

from services.dispatch.domain.address import Address, parse_address
from services.dispatch.domain.subjects import line_for
from services.dispatch.domain.text import UnsafeText, fill, guard, guard_block, pick, slots_of
from services.dispatch.domain.wording import WORDINGS, Wording, language_of
from shared.contracts.directory import Brand, OrganisationChanged
from shared.contracts.forms import SCALES, Form, Question, QuestionType
from shared.contracts.forms import Letter as Texts
from shared.contracts.messages import MessageKind
from shared.contracts.model import LocalText, Person, Snapshot

PROMISED_HOURS = "24"
"""What a first reply promises when it does not say otherwise."""
DEFAULT_COLOUR = "#1f5eff"
MAX_SUBJECT = 200

_COLOUR = re.compile(r"#[0-9a-fA-F]{6}\Z")
_LINK = re.compile(r"https?://[^\s\"'<>\\]{1,500}\Z")
_DARK_INK = 0.45
_NEVER_DAYS = 100_000
_DAY = {"es": "d 'de' MMMM", "pt": "d 'de' MMMM", "de": "d. MMMM"}


@dataclass(frozen=True, slots=True)
class Links:
    """Addresses of the pages behind a mail; all lie under the organisation's public address."""

    unsubscribe: str
    survey: str = ""

    def score(self, value: int) -> str:
        """Opens the survey page with a score preselected; opening it answers nothing."""
        return f"{self.survey}?score={value}"

    @property
    def trap(self) -> str:
        """A link that no person sees: whoever follows it is a machine."""
        return f"{self.survey}/trap"


@dataclass(frozen=True, slots=True)
class House:
    """How the organisation looks in a mail; `ink` is the text colour that is readable on `colour`."""

    name: str
    colour: str
    ink: str
    postal: str
    logo_url: str = ""
    privacy: str = ""


@dataclass(frozen=True, slots=True)
class ScoreRow:
    """The scale of the primary question as links.

    `names` are what stands on each: the number, or the words for yes and no, which need none at the ends.
    """

    question: str
    scores: tuple[tuple[int, str], ...]
    low: str
    high: str
    hint: str
    names: tuple[str, ...]

    @property
    def numbered(self) -> bool:
        """Whether its links are numbers, so that words must say which end is the good one."""
        return self.names[0].isdigit()


@dataclass(frozen=True, slots=True)
class Frame:
    """What stands around every mail: who writes, in whose name, and why the reader gets it."""

    locale: str
    greeting: str
    regards: str
    sender_name: str
    sender: Address
    reply_to: Address
    house: House
    why: str
    unsubscribe: str


@dataclass(frozen=True, slots=True)
class Letter:
    """A mail in words, ready to be set as HTML and as text."""

    frame: Frame
    links: Links
    subject: str
    preheader: str
    paragraphs: tuple[str, ...]
    row: ScoreRow | None = None
    until: str = ""
    open_survey: str = ""
    act: str = ""
    incentive: str = ""


@dataclass(frozen=True, slots=True)
class Ask:
    """What a survey wants to say, as it was requested.

    `line`: id of the subject line to show; "" for the one that its reader gets.
    `started`: whoever is reminded sent a first step already; the words are ours, for a programme's reminder
    would ask as if nothing had come (R49).
    """

    texts: Texts
    form: Form
    closes_at: datetime
    reminder: bool = False
    started: bool = False
    line: str = ""


@dataclass(frozen=True, slots=True)
class Reader:
    """Who reads it: the person in clear, the language and zone, and the values for slots."""

    person: Person
    snapshot: Snapshot
    slots: Mapping[str, str] = field(default_factory=dict)


def invite(ask: Ask, reader: Reader, organisation: OrganisationChanged, links: Links) -> Letter:
    """Word an invitation or, with `ask.reminder`, a reminder.

    Raises:
        UnsafeText: a value could break the mail, or the sender's address is unusable.
    """
    locale = reader.snapshot.locale
    wording = WORDINGS[language_of(locale)]
    values = _values(reader, organisation)
    subject = guard("letter.subject", fill(_line("letter.subject", _subject(ask, reader), locale), values))
    if ask.reminder:
        again = wording.started_subject if ask.started else wording.reminder_subject
        subject = fill(again, {"subject": subject})
    return Letter(
        frame=_frame(ask.texts, reader, organisation, values),
        links=links,
        subject=guard("letter.subject", subject, longest=MAX_SUBJECT),
        preheader=wording.preheader,
        paragraphs=_paragraphs(_intro(ask, locale, wording), values),
        row=_row(ask.form, locale, values, links, wording),
        until=fill(wording.open_until, {"date": _date(ask.closes_at, reader.snapshot)}),
        open_survey=wording.open_survey,
        incentive=fill(guard_block("letter.incentive", pick(ask.texts.incentive, locale)), values),
    )


def note(kind: MessageKind, reader: Reader, organisation: OrganisationChanged, links: Links) -> Letter:
    """Word a message that is no survey: thanks, first reply, what was changed, help, an invitation.

    Raises:
        UnsafeText: a value could break the mail, or one that this kind of message is about is missing.
    """
    wording = WORDINGS[language_of(reader.snapshot.locale)]
    text = wording.notes[kind]
    values = {"within": _within(reader), **_values(reader, organisation)}
    for name in sorted(frozenset().union(*map(slots_of, text.paragraphs))):
        if not values.get(name):
            raise UnsafeText(f"slots.{name}: missing for a message of kind {kind.value}")
    if kind is MessageKind.INVITATION and not links.survey:
        raise UnsafeText("links: an invitation leads nowhere")
    return Letter(
        frame=_frame(Texts(subject={}), reader, organisation, values),
        links=links,
        act=wording.take_part if kind is MessageKind.INVITATION else "",
        subject=text.subject,
        preheader=text.paragraphs[0],
        paragraphs=tuple(fill(paragraph, values) for paragraph in text.paragraphs),
    )


def house_of(organisation: OrganisationChanged, locale: str) -> House:
    """The organisation's looks, with a safe colour and links only over http(s)."""
    return _house(organisation.brand, organisation.name, pick(organisation.privacy_note, locale))


@lru_cache(maxsize=64)
def _house(brand: Brand, name: str, privacy: str) -> House:
    colour = brand.colour if _COLOUR.match(brand.colour) else DEFAULT_COLOUR
    return House(
        name=guard("brand.name", brand.name or name),
        colour=colour,
        ink="#111111" if _luminance(colour) > _DARK_INK else "#ffffff",
        postal=guard_block("brand.address", brand.address),
        logo_url=brand.logo_url if _LINK.match(brand.logo_url) else "",
        privacy=guard_block("privacy_note", privacy),
    )


def _frame(
    texts: Texts, reader: Reader, organisation: OrganisationChanged, values: Mapping[str, str]
) -> Frame:
    wording = WORDINGS[language_of(reader.snapshot.locale)]
    house = house_of(organisation, reader.snapshot.locale)
    sender = organisation.sender
    address = _mailbox("sender.email", texts.sender_email or sender.email)
    # The organisation's reply address answers for the organisation's sender only.
    reply_to = texts.reply_to or ("" if texts.sender_email else sender.reply_to)
    who = values["first_name"]
    return Frame(
        locale=language_of(reader.snapshot.locale),
        greeting=fill(wording.greeting, {"name": who}) if who else wording.greeting_nameless,
        regards=wording.regards,
        sender_name=guard("sender.name", fill(texts.sender_name, values) or sender.name),
        sender=address,
        reply_to=_mailbox("sender.reply_to", reply_to) if reply_to else address,
        house=house,
        why=fill(wording.why, {"company": house.name}),
        unsubscribe=wording.unsubscribe,
    )


def _values(reader: Reader, organisation: OrganisationChanged) -> dict[str, str]:
    """Every slot with its value, each one guarded; what the survey carries comes first."""
    given = {
        "name": reader.person.name,
        "first_name": _first_name(reader.person.name),
        "company": organisation.brand.name or organisation.name,
        "organisation": organisation.brand.name or organisation.name,
        "account": reader.snapshot.account_name,
        "account_name": reader.snapshot.account_name,
        "product": reader.snapshot.product,
        **reader.slots,
    }
    return {name: guard(f"slots.{name}", value) for name, value in given.items()}


def _first_name(name: str) -> str:
    """What to call somebody: the first word, unless the name is written last name first."""
    words = name.split(" ")
    return name if "," in name else words[0]


def _subject(ask: Ask, reader: Reader) -> LocalText:
    """The subject in its languages: of several the one that is asked for, or the reader's."""
    if not ask.texts.subjects:
        return ask.texts.subject
    snapshot = reader.snapshot
    line = next((one for one in ask.texts.subjects if one.id == ask.line), None) or line_for(
        ask.texts, snapshot.programme, UUID(snapshot.contact_id)
    )
    return line.text if line else ask.texts.subject


def _line(name: str, texts: LocalText, locale: str) -> str:
    return guard(name, pick(texts, locale))


def _block(name: str, ask: Ask, locale: str) -> str:
    return guard_block(name, pick(ask.texts.reminder if ask.reminder else ask.texts.intro, locale))


def _intro(ask: Ask, locale: str, wording: Wording) -> str:
    if ask.reminder and ask.started:
        return wording.started_intro
    own = _block("letter.reminder" if ask.reminder else "letter.intro", ask, locale)
    return own or (wording.reminder_intro if ask.reminder else wording.intro)


def _paragraphs(text: str, values: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(fill(part.strip(), values) for part in re.split(r"\n\s*\n", text) if part.strip())


def _row(form: Form, locale: str, values: Mapping[str, str], links: Links, wording: Wording) -> ScoreRow:
    question = next((q for q in form.questions if q.id == form.primary), None)
    if question is None or question.type not in wording.scales:
        raise UnsafeText("form.primary: names no question with a scale")
    low, high = SCALES[question.type]
    low_word, high_word = wording.scales[question.type]
    low_end = _line("form.low_label", question.low_label, locale) or low_word
    high_end = _line("form.high_label", question.high_label, locale) or high_word
    said = question.type is QuestionType.YES_NO
    return ScoreRow(
        question=_question(question, locale, values),
        scores=tuple((value, links.score(value)) for value in range(low, high + 1)),
        low=low_end,
        high=high_end,
        hint=wording.hint_words if said else wording.hint,
        names=(low_end, high_end) if said else tuple(map(str, range(low, high + 1))),
    )


def _question(question: Question, locale: str, values: Mapping[str, str]) -> str:
    return fill(guard_block("form.question", pick(question.text, locale)), values)


@lru_cache(maxsize=1024)
def _mailbox(name: str, text: str) -> Address:
    address = parse_address(text)
    if address is None:
        raise UnsafeText(f"{name}: not one plain e-mail address")
    return address


def _date(at: datetime, snapshot: Snapshot) -> str:
    try:
        local = at.astimezone(ZoneInfo(snapshot.zone))
    except (ZoneInfoNotFoundError, ValueError):
        local = at
    # What closes in the small hours belongs, to a reader, to the day before.
    language = language_of(snapshot.locale)
    return _day((local - timedelta(hours=6)).date(), language)


def _within(reader: Reader) -> str:
    """Within how many hours somebody will call, in the reader's words."""
    hours = reader.slots.get("hours", PROMISED_HOURS)
    if not (hours.isascii() and hours.isdigit()):
        raise UnsafeText("slots.hours: not a number of hours")
    span, language = timedelta(hours=int(hours[:4])), language_of(reader.snapshot.locale)
    text = format_timedelta(span, granularity="hour", threshold=_NEVER_DAYS, locale=language)
    return str(text).replace(" ", "\N{NO-BREAK SPACE}")


@lru_cache(maxsize=512)
def _day(day: date, language: str) -> str:
    return str(format_date(day, _DAY.get(language, "d MMMM"), locale=language)).replace(
        " ", "\N{NO-BREAK SPACE}"
    )


def _luminance(colour: str) -> float:
    """Perceived brightness of #rrggbb, 0 to 1."""
    red, green, blue = (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
    return float(0.2126 * red**2.2 + 0.7152 * green**2.2 + 0.0722 * blue**2.2)
