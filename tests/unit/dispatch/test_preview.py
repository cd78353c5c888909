"""How messages look before anybody gets one: every language, channel and step, with no hole in any text."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest
from typer.testing import CliRunner

from services.cli.main import app
from services.dispatch.channels.preview import (
    TOKEN,
    Look,
    Step,
    Studio,
    Wanted,
    in_light,
    lines_of,
    locales_of,
)
from services.dispatch.channels.render import Renderer
from services.dispatch.domain.model import write_texts
from services.dispatch.domain.text import UnsafeText
from services.dispatch.domain.wording import LANGUAGES
from services.trigger.domain import placeholders
from shared.contracts.forms import Letter, SubjectLine
from shared.contracts.model import UNASKED, Channel
from shared.security.tokens import Tokens
from tests.support.dispatch import LETTER, NOW, NPS, ORGANISATION, PUBLIC_URL

EVERY_SLOT = " ".join(f"<{name}: {{{name}}}>" for name in placeholders.KNOWN)


@pytest.fixture(scope="module")
def studio() -> Studio:
    return Studio(Renderer(), PUBLIC_URL)


@pytest.mark.requirement("R43")
@pytest.mark.parametrize("locale", LANGUAGES)
@pytest.mark.parametrize("step", Step)
def test_every_slot_of_the_closed_list_has_a_value(studio: Studio, locale: str, step: Step) -> None:
    content = write_texts(
        NPS, Letter(subject={"en": "S"}, intro={"en": EVERY_SLOT}, reminder={"en": EVERY_SLOT})
    )
    found = studio.show(content, ORGANISATION, Wanted("p", locale, step=step), NOW)
    assert not re.search(r"[{}]", found.text)
    if step is not Step.STARTED:  # the words are ours then
        values = dict(re.findall(r"<(\w+): ([^>]*)>", found.text))
        assert values.keys() == placeholders.KNOWN.keys()
        assert all(values.values())
    assert found.translated is (locale == "en")


@pytest.mark.requirement("R52")
@pytest.mark.parametrize("channel", [one for one in Channel if one not in UNASKED])
def test_each_channel_shows_what_it_would_bring(studio: Studio, channel: Channel) -> None:
    found = studio.show(write_texts(NPS, LETTER), ORGANISATION, Wanted("p", "sv", channel), NOW)
    assert bool(found.html) is (channel is Channel.EMAIL)
    assert bool(found.length) is (channel is Channel.SMS)
    asked = "rekommendera Example Cloud" in found.text
    assert asked is (channel is not Channel.LINK)


@pytest.mark.requirement("R55")
@pytest.mark.parametrize("channel", [one for one in Channel if one not in {*UNASKED, Channel.LINK}])
def test_a_promise_is_told_by_each_channel(studio: Studio, channel: Channel) -> None:
    promising = LETTER.model_copy(update={"incentive": {"en": "We plant a tree for {first_name}."}})
    found = studio.show(write_texts(NPS, promising), ORGANISATION, Wanted("p", "en", channel), NOW)
    assert "We plant a tree for " in found.text


def test_a_link_is_as_long_as_a_real_one(tokens: Tokens) -> None:
    assert len(TOKEN) == len(tokens.sign("answer", UUID(int=1)))


@pytest.mark.requirement("R49")
def test_the_steps_speak_differently(studio: Studio) -> None:
    subjects = {
        studio.show(write_texts(NPS, LETTER), ORGANISATION, Wanted("p", step=step), NOW).subject
        for step in Step
    }
    assert len(subjects) == len(Step)


def test_what_could_not_be_sent_is_not_shown(studio: Studio) -> None:
    content = write_texts(NPS, Letter(subject={"en": "two\nlines"}))
    with pytest.raises(UnsafeText, match=r"letter\.subject"):
        studio.show(content, ORGANISATION, Wanted("p"), NOW + timedelta(days=1))


def test_a_mail_is_shown_in_the_light_that_is_chosen(studio: Studio) -> None:
    html = studio.show(write_texts(NPS, LETTER), ORGANISATION, Wanted("p"), NOW).html
    rule = "@media (prefers-color-scheme: dark)"
    assert in_light(html, Look.OWN).count(rule) == 1
    assert "@media all {" in in_light(html, Look.DARK)
    assert "@media not all {" in in_light(html, Look.LIGHT)
    assert rule not in in_light(html, Look.DARK) + in_light(html, Look.LIGHT)


def test_the_languages_of_a_programme_come_first() -> None:
    content = write_texts(NPS, Letter(subject={"sv": "a", "nb": ""}))
    assert locales_of(content) == ("sv", "en", "es", "de", "fr", "pt")


def _run(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["messages", "preview", "--neutral", *arguments])
    return result.exit_code, result.output


@pytest.mark.requirement("R43")
def test_the_command_writes_each_message_into_a_file(tmp_path: Path) -> None:
    code, said = _run("--locale", "es", "--channel", "email", "--channel", "sms", "--to", str(tmp_path))
    assert code == 0, said
    written = {str(file.relative_to(tmp_path)) for file in tmp_path.rglob("*.*")}
    keys = ("delivery-csat", "onboarding-ces", "recovery", "renewal-nps", "support-csat")
    names = ("email.html", "email.txt", "sms.txt")
    assert written == {f"{key}/es/{name}" for key in keys for name in names}
    assert "Hola, Alex:" in (tmp_path / "renewal-nps/es/email.html").read_text(encoding="utf-8")


def test_the_command_prints_and_says_how_long_a_text_message_is() -> None:
    code, said = _run(
        "renewal-nps", "--locale", "en", "--channel", "sms", "--step", "reminder", "--sms-replies"
    )
    assert code == 0
    assert "Reminder. Your company: How likely" in said
    assert "STOP ends these messages." in said
    assert re.search(r"gsm-7, \d+ units, 2 parts", said)


def test_an_unknown_programme_is_named_with_those_there_are() -> None:
    code, said = _run("renewal")
    assert code == 1
    assert "no readable programme renewal" in said
    assert "renewal-nps" in said


def test_a_message_that_could_not_be_sent_fails_the_command(tmp_path: Path) -> None:
    text = Path("programmes/renewal.yaml").read_text(encoding="utf-8")
    broken = re.sub(r"(subject:\s*\n\s*en: ).*", r'\1"Encoded =?utf-8?q?x?= word"', text, count=1)
    assert broken != text
    (tmp_path / "renewal.yaml").write_text(broken, encoding="utf-8")
    code, said = _run("--folder", str(tmp_path), "--locale", "en", "--channel", "email")
    assert code == 1
    assert "letter.subject: an encoded-word" in said


def test_each_of_several_subjects_is_shown_and_an_unknown_one_is_refused(studio: Studio) -> None:
    lines = tuple(SubjectLine(id=name, text={"en": f"Is it {name}?"}) for name in ("first", "other"))
    content = write_texts(NPS, Letter(subject={"en": "Is it first?"}, subjects=lines))
    assert lines_of(content) == ("first", "other")
    for line, subject in (("", "Is it first?"), ("first", "Is it first?"), ("other", "Is it other?")):
        assert studio.show(content, ORGANISATION, Wanted("p", line=line), NOW).subject == subject
    with pytest.raises(UnsafeText, match="there is no 'third'; there are first, other"):
        studio.show(content, ORGANISATION, Wanted("p", line="third"), NOW)
    with pytest.raises(UnsafeText, match="there are none"):
        studio.show(write_texts(NPS, LETTER), ORGANISATION, Wanted("p", line="other"), NOW)
