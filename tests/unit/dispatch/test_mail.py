"""Every rendered mail is read back: one recipient, our headers, our two parts, payload only in its slots."""

from __future__ import annotations

import re
from dataclasses import fields, replace
from datetime import timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typing_extensions import override

from services.dispatch.channels import mime
from services.dispatch.channels.mime import HEADERS, Posting
from services.dispatch.channels.render import Renderer
from services.dispatch.domain.address import Address
from services.dispatch.domain.letter import Ask, Letter, Links, Reader, invite, note
from services.dispatch.domain.text import UnsafeText, slots_of
from services.dispatch.domain.wording import LANGUAGES, WORDINGS
from shared.contracts.directory import Brand, OrganisationChanged, Sender
from shared.contracts.forms import Form, Question, QuestionType
from shared.contracts.forms import Letter as Texts
from shared.contracts.messages import MessageKind
from shared.contracts.model import Person
from tests.support.dispatch import LETTER, NOW, NPS, ORGANISATION, delivery_id, snapshot

RENDERER = Renderer()
LINKS = Links("https://ask.northwind.example/u/" + "u" * 66, "https://ask.northwind.example/s/" + "s" * 44)
POSTING = Posting(
    delivery_id("anna"), Address("anna", "customer.example"), NOW, "relationship-nps", "invitation"
)


def letter(  # noqa: PLR0913 - each test changes one of them
    *,
    texts: Texts = LETTER,
    form: Form = NPS,
    name: str = "Anna Berg",
    locale: str = "en",
    reminder: bool = False,
    organisation: OrganisationChanged = ORGANISATION,
    slots: dict[str, str] | None = None,
) -> Letter:
    ask = Ask(texts, form, NOW + timedelta(days=30), reminder=reminder)
    reader = Reader(Person(name=name), snapshot("anna", locale=locale), {"product": "Cloud", **(slots or {})})
    return invite(ask, reader, organisation, LINKS)


def mail_of(words: Letter) -> EmailMessage:
    parsed = message_from_bytes(mime.compose(words, RENDERER.render(words), POSTING), policy=policy.default)
    assert isinstance(parsed, EmailMessage)
    return parsed


def html_of(words: Letter) -> str:
    return RENDERER.render(words).html


class Tags(HTMLParser):
    """Tags and the values of their attributes that lead somewhere or run something."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.links: list[str] = []
        self.text = ""
        self.feed(html)

    @override
    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        names = {name for name, _ in attrs}
        assert not any(name.startswith("on") for name in names)
        self.links += [value or "" for name, value in attrs if name in {"href", "src", "background"}]

    @override
    def handle_data(self, data: str) -> None:
        self.text += data


# --- what a good mail holds ---------------------------------------------------------------------


@pytest.mark.requirement("R43", "R50", "R51")
def test_the_headers_are_ours_and_only_ours() -> None:
    mail = mail_of(letter())
    assert tuple(mail.keys()) == HEADERS
    assert mail["From"] == "Karin Lindqvist <karin@northwind.example>"
    assert mail["To"] == "anna@customer.example"
    assert mail["Reply-To"] == "karin@northwind.example"
    assert mail["Subject"] == "How is Cloud doing?"
    assert mail["Date"].datetime == NOW
    assert mail["Message-ID"] == f"<{delivery_id('anna')}@northwind.example>"
    assert mail["List-Unsubscribe"] == (
        f"<{LINKS.unsubscribe}>, <mailto:karin@northwind.example?subject=unsubscribe>"
    )
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert mail["List-Id"] == "<relationship-nps.surveys.northwind.example>"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["X-Auto-Response-Suppress"] == "All"


@pytest.mark.requirement("R1", "R43")
@pytest.mark.parametrize("locale", list(LANGUAGES))
@pytest.mark.parametrize(
    ("kind", "low", "high"),
    [
        (QuestionType.NPS, 0, 10),
        (QuestionType.CSAT, 1, 5),
        (QuestionType.CES, 1, 7),
        (QuestionType.NPS5, 1, 5),
    ],
)
def test_the_score_row_has_every_value_in_every_language(
    kind: QuestionType, low: int, high: int, locale: str
) -> None:
    form = NPS.model_copy(update={"questions": (NPS.questions[0].model_copy(update={"type": kind}),)})
    words = letter(form=form, locale=locale)
    tags = Tags(html_of(words))
    scores = [link for link in tags.links if "?score=" in link]
    assert scores == [f"{LINKS.survey}?score={value}" for value in range(low, high + 1)]
    text = RENDERER.render(words).text
    assert all(link in text for link in scores)
    low_word, high_word = WORDINGS[locale].scales[kind]
    for form_of_it in (tags.text, text):
        assert f"{low} = {low_word}" in form_of_it.replace("\N{NO-BREAK SPACE}", " ")
        assert WORDINGS[locale].unsubscribe in form_of_it
        assert high_word in form_of_it


@pytest.mark.parametrize("locale", list(LANGUAGES))
def test_a_mail_is_small_complete_and_ends_with_a_way_out(locale: str) -> None:
    words = letter(locale=locale)
    content = mime.compose(words, RENDERER.render(words), POSTING)
    assert len(content) < 30_000
    assert len(html_of(words)) < 22_000
    html = html_of(words)
    assert f'lang="{locale}"' in html
    assert "prefers-color-scheme: dark" in html
    for part in (Tags(html).text, RENDERER.render(words).text):
        assert "Kungsgatan 1" in part
        assert "Karin Lindqvist" in part
        assert WORDINGS[locale].why.replace("{company}", "Northwind") in part
    assert LINKS.unsubscribe in Tags(html).links


def test_exactly_one_link_is_a_trap_that_nobody_sees() -> None:
    html = html_of(letter())
    [anchor] = re.findall(r"<a [^>]*trap[^>]*>", html)
    for hidden in ("display:none", "mso-hide:all", 'aria-hidden="true"', 'tabindex="-1"'):
        assert hidden in anchor
    assert "/trap" not in RENDERER.render(letter()).text


def test_every_link_leads_to_our_own_pages() -> None:
    for link in Tags(html_of(letter())).links:
        assert link.startswith("https://ask.northwind.example/")


def test_a_reminder_uses_its_own_words() -> None:
    texts = LETTER.model_copy(
        update={"intro": {"en": "First."}, "reminder": {"en": "Again, {first_name}.\n\nPlease."}}
    )
    assert letter(texts=texts).paragraphs == ("First.",)
    again = letter(texts=texts, reminder=True)
    assert again.paragraphs == ("Again, Anna.", "Please.")
    assert again.subject == "Reminder: How is Cloud doing?"


@pytest.mark.requirement("R55")
def test_an_incentive_is_said_in_the_readers_language_or_not_at_all() -> None:
    thanks = {"en": "As a thank-you: our benchmark report.", "es": "Como agradecimiento: nuestro informe."}
    texts = LETTER.model_copy(update={"incentive": thanks})
    for locale, said in thanks.items():
        rendered = RENDERER.render(letter(texts=texts, locale=locale))
        assert said in Tags(rendered.html).text
        assert said in rendered.text
    bare = RENDERER.render(letter())
    assert not any(said in bare.html + bare.text for said in thanks.values())


def test_a_subject_beyond_ascii_arrives_whole() -> None:
    subject = "Wie läuft’s mit {product}? " + "ÅÄÖ 😀 " * 15
    mail = mail_of(letter(texts=LETTER.model_copy(update={"subject": {"en": subject}})))
    assert mail["Subject"] == subject.replace("{product}", "Cloud").strip()
    assert all(
        len(line) <= 78 for line in mail.as_bytes().split(b"\n\n")[0].split(b"\n") if b"=?utf-8" in line
    )


@pytest.mark.parametrize(
    "name",
    [
        "Karin",
        "Åsa Öberg",
        'Bob "B" \\ Smith',
        "Bob, evil@x.test",
        "a@b.test",
        "Bob <evil@x.test>",
        "O'Neil (CEO)",
        "",
    ],
)
def test_no_display_name_becomes_an_address(name: str) -> None:
    organisation = ORGANISATION.model_copy(
        update={"sender": Sender(name=name, email="karin@northwind.example")}
    )
    mail = mail_of(letter(organisation=organisation))
    [mailbox] = mail["From"].addresses
    assert (mailbox.display_name, mailbox.addr_spec) == (name, "karin@northwind.example")


# --- what a mail must never hold ----------------------------------------------------------------

INJECTIONS = [
    "Cloud\r\nBcc: eve@evil.example",
    "Cloud\nSubject: other",
    "Cloud\x00",
    "Cloud\u2028Bcc: eve@evil.example",
    "Cloud\u2029",
    "Cloud\x85Bcc: eve@evil.example",
    "Cloud\x0bBcc:",
    "Cloud\x0cBcc:",
    "=?utf-8?q?Hi=0D=0ABcc=3A_eve=40evil.example?=",
    "\r\n.\r\nMAIL FROM:<eve@evil.example>",
    "x" * 501,
]


@pytest.mark.parametrize("value", INJECTIONS, ids=ascii)
@pytest.mark.parametrize("where", ["slot", "name", "subject", "sender", "brand", "account"])
def test_a_value_that_could_break_the_mail_stops_it(value: str, where: str) -> None:
    organisation, texts = ORGANISATION, LETTER
    slots: dict[str, str] = {}
    name = "Anna"
    match where:
        case "slot":
            slots = {"product": value}
        case "name":
            name = value
        case "subject":
            texts = texts.model_copy(update={"subject": {"en": value}})
        case "sender":
            texts = texts.model_copy(update={"sender_name": value})
        case "brand":
            organisation = organisation.model_copy(update={"brand": Brand(name=value)})
        case _:
            slots = {"account": value}
    with pytest.raises(UnsafeText) as caught:
        mail_of(letter(texts=texts, organisation=organisation, name=name, slots=slots))
    assert "evil" not in str(caught.value)


@pytest.mark.parametrize("field", ["sender_email", "reply_to"])
@pytest.mark.parametrize("address", ["a@b.test\r\nRCPT TO:<c@d>", "no address", "a@b.example, c@d.example"])
def test_a_sender_that_is_no_mailbox_stops_it(field: str, address: str) -> None:
    with pytest.raises(UnsafeText, match="not one plain e-mail address"):
        mail_of(letter(texts=LETTER.model_copy(update={field: address})))


HOSTILE = [
    "<img src=x onerror=alert(1)>",
    '"><svg/onload=alert(1)>',
    "</td></table><script>alert(1)</script>",
    "javascript:alert(1)",
    "{{7*7}} {% raw %} {{ letter }}",
    "${7*7} %s%n {0.__class__}",
    "--=_aw_",
    "' style='display:none",
    "<!--",
    "]]>",
]


@pytest.mark.parametrize("value", HOSTILE)
def test_payload_stays_text(value: str) -> None:
    plain, hostile = letter(), letter(slots={"product": value}, name=value)
    before, after = Tags(html_of(plain)), Tags(html_of(hostile))
    assert after.tags == before.tags
    assert after.links == before.links
    assert value in after.text
    assert value in RENDERER.render(hostile).text
    assert mail_of(hostile)["Subject"] == f"How is {value} doing?"


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=60), st.text(max_size=60))
def test_whatever_backends_send_the_mail_is_sound_or_refused(product: str, name: str) -> None:
    try:
        words = letter(slots={"product": product}, name=name)
        mail = mail_of(words)
    except UnsafeText:
        return
    assert tuple(mail.keys()) == HEADERS
    assert [a.addr_spec for a in mail["To"].addresses] == ["anna@customer.example"]
    assert Tags(html_of(words)).tags == Tags(html_of(letter())).tags


def test_a_mail_that_reads_differently_does_not_leave() -> None:
    """The last line of defence, were a guard ever missing: the bytes are read back and compared."""
    words = letter()
    smuggled = replace(words, frame=replace(words.frame, reply_to=Address("a@b.example,c", "d.example")))
    with pytest.raises(UnsafeText, match="Reply-To"):
        mime.compose(smuggled, RENDERER.render(smuggled), POSTING)
    odd = replace(words, links=Links("https://x.example/\r\nBcc: eve@evil.example", LINKS.survey))
    with pytest.raises(UnsafeText, match=r"links\.unsubscribe"):
        mime.compose(odd, RENDERER.render(odd), POSTING)


@pytest.mark.parametrize("colour", ["red", "#12345", "#123456;background:url(x)", "", "#GGGGGG"])
def test_a_brand_cannot_bring_its_own_styles(colour: str) -> None:
    organisation = ORGANISATION.model_copy(update={"brand": Brand(name="Northwind", colour=colour)})
    words = letter(organisation=organisation)
    assert words.frame.house.colour == "#1f5eff"


@pytest.mark.parametrize(
    "url", ["javascript:alert(1)", "https://x.example/a b", 'https://x.example/"><x>', "//x.example"]
)
def test_a_logo_is_a_plain_web_address_or_none(url: str) -> None:
    organisation = ORGANISATION.model_copy(update={"brand": Brand(name="Northwind", logo_url=url)})
    assert "img" not in Tags(html_of(letter(organisation=organisation))).tags


# --- languages, dates, notes --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("locale", "zone", "until"),
    [
        ("en", "Europe/Stockholm", "2 April"),
        ("es", "America/Mexico_City", "1 de abril"),
        ("sv", "Europe/Stockholm", "2 april"),
        ("de", "Europe/Berlin", "2. April"),
        ("fr", "Europe/Paris", "2 avril"),
        ("pt", "Europe/Lisbon", "2 de abril"),
        ("en", "no/where", "2 April"),
        ("nl", "UTC", "2 April"),
    ],
)
def test_the_last_day_is_said_in_the_readers_words_and_zone(locale: str, zone: str, until: str) -> None:
    reader = Reader(Person(name="Anna"), snapshot("anna", locale=locale, zone=zone), {"product": "Cloud"})
    words = invite(Ask(LETTER, NPS, NOW + timedelta(days=30)), reader, ORGANISATION, LINKS)
    assert until in words.until.replace("\N{NO-BREAK SPACE}", " ")


@pytest.mark.parametrize(
    ("name", "greeting"),
    [("Anna Berg", "Hello Anna,"), ("Berg, Anna", "Hello Berg, Anna,"), ("", "Hello,"), ("  ", "Hello,")],
)
def test_people_are_greeted_by_their_first_name(name: str, greeting: str) -> None:
    assert letter(name=name).frame.greeting == greeting


@pytest.mark.parametrize("locale", list(LANGUAGES))
@pytest.mark.parametrize("kind", list(MessageKind))
def test_notes_ask_nothing(kind: MessageKind, locale: str) -> None:
    reader = Reader(
        Person(name="Anna"), snapshot("anna", locale=locale), {"text": "We built a <b>new</b> export."}
    )
    words = note(kind, reader, ORGANISATION, LINKS)
    mail = mail_of(words)
    assert tuple(mail.keys()) == HEADERS
    assert "score=" not in html_of(words)
    assert "trap" not in html_of(words)


@pytest.mark.requirement("R94")
@pytest.mark.parametrize("locale", list(LANGUAGES))
def test_an_invitation_leads_to_the_page_where_they_say_yes(locale: str) -> None:
    reader = Reader(Person(name="Anna"), snapshot("anna", locale=locale), {"text": "Half an hour with us."})
    words = note(MessageKind.INVITATION, reader, ORGANISATION, LINKS)
    assert f'href="{LINKS.survey}"' in html_of(words)
    assert "Half an hour with us." in html_of(words)
    assert (words.act == WORDINGS["en"].take_part) == (locale == "en")
    with pytest.raises(UnsafeText, match="leads nowhere"):
        note(MessageKind.INVITATION, reader, ORGANISATION, Links(LINKS.unsubscribe))


def test_a_note_without_its_text_does_not_leave() -> None:
    reader = Reader(Person(name="Anna"), snapshot("anna"), {})
    with pytest.raises(UnsafeText, match=r"slots\.text: missing"):
        note(MessageKind.HELP, reader, ORGANISATION, Links(LINKS.unsubscribe))


def test_a_form_without_a_scale_first_does_not_leave() -> None:
    form = Form(primary="x", low=1, title={}, questions=(Question(id="x", type=QuestionType.TEXT, text={}),))
    with pytest.raises(UnsafeText, match=r"form\.primary"):
        letter(form=form)


def test_wordings_have_the_same_slots_in_every_language() -> None:
    for one in fields(WORDINGS["en"]):
        if one.name not in {"scales", "notes"}:
            slots = {slots_of(getattr(w, one.name)) for w in WORDINGS.values()}
            assert len(slots) == 1, one.name
    for wording in WORDINGS.values():
        assert set(wording.notes) == set(MessageKind)
        assert set(wording.scales) == set(WORDINGS["en"].scales)


FIXED = Form(
    primary="fixed",
    low=0,
    title={},
    questions=(Question(id="fixed", type=QuestionType.YES_NO, text={"en": "Did we fix it?"}),),
)


@pytest.mark.parametrize(("locale", "no", "yes"), [("en", "No", "Yes"), ("de", "Nein", "Ja")])
def test_yes_and_no_stand_on_the_buttons_and_no_number_does(locale: str, no: str, yes: str) -> None:
    asked = letter(form=FIXED, locale=locale)
    assert asked.row is not None
    assert (asked.row.names, [value for value, _ in asked.row.scores]) == ((no, yes), [0, 1])
    rendered = RENDERER.render(asked)
    assert f">{no}</a>" in rendered.html
    assert f">{yes}</a>" in rendered.html
    assert "&nbsp;=" not in rendered.html
    assert f"{yes}  {asked.row.scores[1][1]}" in rendered.text
    assert "0 =" not in rendered.text
    assert WORDINGS[locale].hint_words in rendered.text
