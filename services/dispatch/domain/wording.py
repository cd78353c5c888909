"""The fixed texts of mails, text messages and the unsubscribe page, in every language of the product.

Texts of a programme come with the survey; these stand around them. `{name}` slots as everywhere. English is
the text here; the other languages are gettext catalogues in `locales/`, read once when the process starts.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from pathlib import Path

from shared.contracts.forms import QuestionType
from shared.contracts.messages import MessageKind
from shared.web.i18n import translations


@dataclass(frozen=True, slots=True)
class Note:
    """A whole message that asks nothing."""

    subject: str
    paragraphs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Wording:
    """One language. `scales` holds the words at the low and the high end of a scale."""

    greeting: str
    greeting_nameless: str
    intro: str
    reminder_subject: str
    reminder_intro: str
    started_subject: str
    started_intro: str
    preheader: str
    hint: str
    hint_words: str
    open_until: str
    open_survey: str
    take_part: str
    why: str
    unsubscribe: str
    regards: str
    scales: dict[QuestionType, tuple[str, str]]
    notes: dict[MessageKind, Note]
    page_title: str
    page_question: str
    page_this: str
    page_all: str
    page_button: str
    page_done_title: str
    page_done_this: str
    page_done_all: str
    page_kept: str
    page_unknown_title: str
    page_unknown: str
    sms_ask: str
    sms_link: str
    sms_reminder: str
    sms_stop: str
    sms_promise: str
    sms_thanks: str
    sms_unclear: str
    sms_late: str


ENGLISH = Wording(
    greeting="Hello {name},",
    greeting_nameless="Hello,",
    intro="Could you spare a minute? Your answer helps us to do better.",
    reminder_subject="Reminder: {subject}",
    reminder_intro=(
        "A few days ago I asked for your opinion. If you can spare a minute, it would still help us a lot."
    ),
    started_subject="Still open: {subject}",
    started_intro=(
        "You began to answer, thank you. What you chose is kept; the rest takes less than a minute."
    ),
    preheader="One click to start, less than a minute in all.",
    hint="Choose a number. It opens a page where you confirm your answer.",
    hint_words="Choose your answer. It opens a page where you confirm it.",
    open_until="You can answer until {date}.",
    open_survey="Open the survey",
    take_part="Say yes or no",
    why="You receive this mail because you are a contact of {company}.",
    unsubscribe="I do not want to be asked again",
    regards="Kind regards,",
    scales={
        QuestionType.NPS: ("Not at all likely", "Extremely likely"),
        QuestionType.NPS5: ("Not at all likely", "Extremely likely"),
        QuestionType.CSAT: ("Very dissatisfied", "Very satisfied"),
        QuestionType.CES: ("Very difficult", "Very easy"),
        QuestionType.YES_NO: ("No", "Yes"),
    },
    notes={
        MessageKind.THANKS: Note(
            "Thank you for your answer",
            (
                "Thank you for taking the time to answer.",
                (
                    "Your answer has reached the people who can act on it. If you would like to add "
                    "something, simply reply to this mail."
                ),
            ),
        ),
        MessageKind.FIRST_REPLY: Note(
            "We have read your answer",
            (
                "Thank you for telling us openly. I am sorry that we did not meet your expectations.",
                (
                    "One of us will contact you within {within}. If you would like to tell us more, "
                    "simply reply to this mail."
                ),
            ),
        ),
        MessageKind.YOU_SAID_WE_DID: Note(
            "What we changed because of your answer",
            ("You told us what we should do better. This is what we have done since:", "{text}"),
        ),
        MessageKind.HELP: Note(
            "Some help to get you going",
            (
                "You told us that it was not easy. This may help:",
                "{text}",
                "Simply reply to this mail if it does not.",
            ),
        ),
        MessageKind.INVITATION: Note(
            "Would you help us to put it right?",
            (
                (
                    "You told us what we should do better. We are working on it, and would like to do it "
                    "together with you:"
                ),
                "{text}",
                "Whether you take part or not, your answer counts. We ask you about this only once.",
            ),
        ),
    },
    page_title="Do not want to be asked?",
    page_question="Tell us what you no longer want to receive. It takes effect at once.",
    page_this="Surveys of this kind",
    page_all="All surveys of {company}",
    page_button="Stop these mails",
    page_done_title="Done",
    page_done_this="You will not receive surveys of this kind again.",
    page_done_all="You will not receive surveys of {company} again.",
    page_kept="Nothing else about your relation to {company} changes.",
    page_unknown_title="This link does not work",
    page_unknown=(
        "It is not complete or was altered. Please use the link of the mail as it is, or reply to the mail."
    ),
    sms_ask="{company}: {question} Answer with a number from {low} to {high}, or here: {url}",
    sms_link="{company}: {question} {url}",
    sms_reminder="Reminder. {text}",
    sms_stop="STOP ends these messages.",
    sms_promise="A thank-you awaits you.",
    sms_thanks="Thank you! To say why or to change it: {url}",
    sms_unclear="Please answer with one number from {low} to {high}, or here: {url}",
    sms_late="Thank you, but this question is closed.",
)

CATALOGUE = Path(__file__).parents[1] / "locales"
LANGUAGES = ("en", "es", "sv", "de", "fr", "pt")
"""What the product speaks to customers; English is the text in the code."""


def _translated(language: str) -> Wording:
    """The English texts put into a language by its catalogue."""
    say = translations(language, CATALOGUE).gettext
    plain = {one.name: getattr(ENGLISH, one.name) for one in fields(ENGLISH)}
    texts = {name: say(text) for name, text in plain.items() if isinstance(text, str)}
    scales = {kind: (say(low), say(high)) for kind, (low, high) in ENGLISH.scales.items()}
    notes = {
        # A paragraph that is nothing but a slot is nobody's language.
        kind: Note(say(note.subject), tuple(say(text) for text in note.paragraphs))
        for kind, note in ENGLISH.notes.items()
    }
    return replace(ENGLISH, scales=scales, notes=notes, **texts)


WORDINGS: dict[str, Wording] = {language: _translated(language) for language in LANGUAGES}
"""Language -> texts. A survey in another language gets the English ones around it."""


def language_of(locale: str) -> str:
    """The language of the fixed texts for a locale."""
    base = locale.replace("_", "-").split("-")[0].lower()
    return base if base in WORDINGS else "en"
