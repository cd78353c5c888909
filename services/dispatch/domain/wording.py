"""The fixed texts of mails and of the unsubscribe page, in every language of the product.

Texts of a programme come with the survey; these stand around them. `{name}` slots as everywhere.
"""

from __future__ import annotations

from dataclasses import dataclass

from shared.contracts.forms import QuestionType
from shared.contracts.messages import MessageKind


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
    preheader: str
    hint: str
    open_until: str
    open_survey: str
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


ENGLISH = Wording(
    greeting="Hello {name},",
    greeting_nameless="Hello,",
    intro="Could you spare a minute? Your answer helps us to do better.",
    reminder_subject="Reminder: {subject}",
    reminder_intro=(
        "A few days ago I asked for your opinion. If you can spare a minute, it would still help us a lot."
    ),
    preheader="One click to start, less than a minute in all.",
    hint="Choose a number. It opens a page where you confirm your answer.",
    open_until="You can answer until {date}.",
    open_survey="Open the survey",
    why="You receive this mail because you are a contact of {company}.",
    unsubscribe="I do not want to be asked again",
    regards="Kind regards,",
    scales={
        QuestionType.NPS: ("Not at all likely", "Extremely likely"),
        QuestionType.NPS5: ("Not at all likely", "Extremely likely"),
        QuestionType.CSAT: ("Very dissatisfied", "Very satisfied"),
        QuestionType.CES: ("Very difficult", "Very easy"),
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
                    "One of us will contact you within 24 hours. If you would like to tell us more, simply "
                    "reply to this mail."
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
)

SPANISH = Wording(
    greeting="Hola, {name}:",
    greeting_nameless="Hola:",
    intro="¿Nos dedica un minuto? Su respuesta nos ayuda a mejorar.",
    reminder_subject="Recordatorio: {subject}",
    reminder_intro=(
        "Hace unos días le pedí su opinión. Si dispone de un minuto, todavía nos sería de gran ayuda."
    ),
    preheader="Un clic para empezar, menos de un minuto en total.",
    hint="Elija un número. Se abre una página en la que confirma su respuesta.",
    open_until="Puede responder hasta el {date}.",
    open_survey="Abrir la encuesta",
    why="Recibe este correo porque es usted un contacto de {company}.",
    unsubscribe="No quiero que me vuelvan a preguntar",
    regards="Un cordial saludo,",
    scales={
        QuestionType.NPS: ("Nada probable", "Muy probable"),
        QuestionType.NPS5: ("Nada probable", "Muy probable"),
        QuestionType.CSAT: ("Muy insatisfecho", "Muy satisfecho"),
        QuestionType.CES: ("Muy difícil", "Muy fácil"),
    },
    notes={
        MessageKind.THANKS: Note(
            "Gracias por su respuesta",
            (
                "Gracias por dedicarnos su tiempo.",
                (
                    "Su respuesta ha llegado a las personas que pueden actuar. Si desea añadir algo, "
                    "responda a este correo."
                ),
            ),
        ),
        MessageKind.FIRST_REPLY: Note(
            "Hemos leído su respuesta",
            (
                "Gracias por su franqueza. Lamento que no hayamos cumplido sus expectativas.",
                (
                    "Uno de nosotros se pondrá en contacto con usted en un plazo de 24 horas. Si desea "
                    "contarnos más, responda a este correo."
                ),
            ),
        ),
        MessageKind.YOU_SAID_WE_DID: Note(
            "Lo que hemos cambiado gracias a su respuesta",
            ("Usted nos dijo qué debíamos mejorar. Esto es lo que hemos hecho desde entonces:", "{text}"),
        ),
        MessageKind.HELP: Note(
            "Una ayuda para empezar",
            (
                "Nos dijo que no fue fácil. Esto puede ayudarle:",
                "{text}",
                "Si no le sirve, responda a este correo.",
            ),
        ),
    },
    page_title="¿No quiere que le preguntemos?",
    page_question="Díganos qué no desea recibir más. Tiene efecto inmediato.",
    page_this="Encuestas de este tipo",
    page_all="Todas las encuestas de {company}",
    page_button="No recibir más estos correos",
    page_done_title="Hecho",
    page_done_this="No volverá a recibir encuestas de este tipo.",
    page_done_all="No volverá a recibir encuestas de {company}.",
    page_kept="No cambia nada más en su relación con {company}.",
    page_unknown_title="Este enlace no funciona",
    page_unknown=(
        "Está incompleto o fue modificado. Use el enlace del correo tal como está o responda al correo."
    ),
)

SWEDISH = Wording(
    greeting="Hej {name},",
    greeting_nameless="Hej,",
    intro="Har du en minut? Ditt svar hjälper oss att bli bättre.",
    reminder_subject="Påminnelse: {subject}",
    reminder_intro=(
        "För några dagar sedan bad jag om din åsikt. Har du en minut över hjälper ditt svar "
        "oss fortfarande mycket."
    ),
    preheader="Ett klick för att börja, mindre än en minut totalt.",
    hint="Välj en siffra. Då öppnas en sida där du bekräftar ditt svar.",
    open_until="Du kan svara till och med {date}.",
    open_survey="Öppna enkäten",
    why="Du får det här mejlet för att du är kontaktperson hos {company}.",
    unsubscribe="Jag vill inte få fler frågor",
    regards="Vänliga hälsningar,",
    scales={
        QuestionType.NPS: ("Inte alls troligt", "Mycket troligt"),
        QuestionType.NPS5: ("Inte alls troligt", "Mycket troligt"),
        QuestionType.CSAT: ("Mycket missnöjd", "Mycket nöjd"),
        QuestionType.CES: ("Mycket svårt", "Mycket lätt"),
    },
    notes={
        MessageKind.THANKS: Note(
            "Tack för ditt svar",
            (
                "Tack för att du tog dig tid att svara.",
                (
                    "Ditt svar har nått dem som kan göra något åt det. Vill du tillägga något, svara bara på "
                    "det här mejlet."
                ),
            ),
        ),
        MessageKind.FIRST_REPLY: Note(
            "Vi har läst ditt svar",
            (
                "Tack för att du är uppriktig. Jag beklagar att vi inte motsvarade dina förväntningar.",
                "Någon av oss hör av sig inom 24 timmar. Vill du berätta mer, svara bara på det här mejlet.",
            ),
        ),
        MessageKind.YOU_SAID_WE_DID: Note(
            "Det här har vi ändrat tack vare ditt svar",
            ("Du berättade vad vi borde göra bättre. Det här har vi gjort sedan dess:", "{text}"),
        ),
        MessageKind.HELP: Note(
            "Lite hjälp på vägen",
            (
                "Du berättade att det inte var lätt. Det här kan hjälpa:",
                "{text}",
                "Svara på det här mejlet om det inte gör det.",
            ),
        ),
    },
    page_title="Vill du slippa frågor?",
    page_question="Berätta vad du inte längre vill få. Det gäller genast.",
    page_this="Enkäter av det här slaget",
    page_all="Alla enkäter från {company}",
    page_button="Sluta skicka de här mejlen",
    page_done_title="Klart",
    page_done_this="Du får inga fler enkäter av det här slaget.",
    page_done_all="Du får inga fler enkäter från {company}.",
    page_kept="Inget annat i din relation till {company} ändras.",
    page_unknown_title="Länken fungerar inte",
    page_unknown=(
        "Den är ofullständig eller har ändrats. Använd länken i mejlet som den är, eller svara på mejlet."
    ),
)

WORDINGS: dict[str, Wording] = {"en": ENGLISH, "es": SPANISH, "sv": SWEDISH}
"""Language -> texts. A survey in another language gets the English ones around it."""


def language_of(locale: str) -> str:
    """The language of the fixed texts for a locale."""
    base = locale.replace("_", "-").split("-")[0].lower()
    return base if base in WORDINGS else "en"
