import gc
import weakref
from datetime import UTC, datetime
from pathlib import Path

import pytest
from fastapi import Request
from jinja2 import Environment, UndefinedError
from markupsafe import Markup

from shared.security.roles import Role
from shared.web.templates import environment, page, speaking


@pytest.fixture
def env(tmp_path: Path) -> Environment:
    (tmp_path / "templates").mkdir()
    (tmp_path / "templates" / "page.html").write_text(
        '{% extends "base.html" %}{% import "ui.html" as ui %}{% block content %}'
        "{{ text }} {{ at|instant }} {{ share|percent }}{% endblock %}",
        encoding="utf-8",
    )
    return environment(tmp_path)


VALUES = {"text": "<img src=x onerror=alert(1)>", "at": datetime(2026, 3, 3, 9, tzinfo=UTC), "share": 0.5}


def test_a_page_for_nobody_in_particular_has_no_navigation(env: Environment) -> None:
    html = env.get_template("page.html").render(VALUES)
    assert "<nav" not in html
    assert '<html lang="en">' in html
    assert "3 Mar 2026, 09:00 UTC 50%" in html


def test_values_are_escaped(env: Environment) -> None:
    assert "<img src=x" not in env.get_template("page.html").render(VALUES)


class Marked:
    """Knows how it stands in a page."""

    def __html__(self) -> str:
        return "<b>&amp;</b>"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("plain ö … 1/2", "plain ö … 1/2"),
        ("a<b", "a&lt;b"),
        ("a>b", "a&gt;b"),
        ("a&b", "a&amp;b"),
        ('a"b', "a&#34;b"),
        ("a'b", "a&#39;b"),
        (Markup("<b>&amp;</b>"), "<b>&amp;</b>"),
        (Marked(), "<b>&amp;</b>"),
        (Role.REP, "rep"),
        (12, "12"),
        (["<"], "[&#39;&lt;&#39;]"),
    ],
)
def test_whatever_is_written_is_safe(env: Environment, value: object, text: str) -> None:
    assert env.from_string("({{ value }})").render(value=value) == f"({text})"


def test_what_a_macro_gives_is_safe_as_a_value_too(env: Environment) -> None:
    source = (
        "{% macro told(name) %}<b>{{ name }}</b>{% endmacro %}"
        "{% set kept %}<i>{{ name }}</i>{% endset %}"
        '{{ "%s"|safe|format(told(name)) }} {{ kept }} {{ name|upper }}'
    )
    html = env.from_string(source).render(name="<x>")
    assert html == "<b>&lt;x&gt;</b> <i>&lt;x&gt;</i> &lt;X&gt;"


def test_what_is_called_gets_what_stands_there(env: Environment) -> None:
    source = (
        "{% macro framed(of) %}[{{ of }} {{ caller(1) }}]{% endmacro %}"
        "{% call(n) framed('a') %}{{ n }}{% endcall %}"
        "{% for one in (2, 3) %}"
        "{{ told(one, *(4,), plain=5, **{'more': 6}) }}{{ told(class=one) }}"
        "{% endfor %}"
    )
    html = env.from_string(source).render(told=lambda *args, **named: f"{args} {sorted(named.items())};")
    assert html.replace("&#39;", "'") == (
        "[a 1](2, 4) [('more', 6), ('plain', 5)];() [('class', 2)];"
        "(3, 4) [('more', 6), ('plain', 5)];() [('class', 3)];"
    )


def test_parts_of_addresses_are_written_as_an_address_takes_them(env: Environment) -> None:
    source = '/scores?{{ {"q": "a&b=c d", "of": 1}|urlencode }}#{{ "a b/å"|urlencode }}'
    assert env.from_string(source).render() == "/scores?q=a%26b%3Dc+d&amp;of=1#a%20b/%C3%A5"


def test_a_misspelt_name_fails_loudly(env: Environment) -> None:
    with pytest.raises(UndefinedError):
        env.get_template("page.html").render({})


def test_a_page_speaks_the_readers_language_and_zone(env: Environment) -> None:
    html = env.get_template("page.html").render({**VALUES, **speaking(env, "es"), "zone": "Europe/Madrid"})
    assert '<html lang="es">' in html
    assert "Ir al contenido" in html
    assert "3 mar 2026, 10:00 CET 50\u00a0%" in html


def test_nothing_of_a_page_waits_for_the_cycle_collector(tmp_path: Path) -> None:
    class Heavy:
        """A value of a page."""

    (tmp_path / "parts.html").write_text("{% macro told() %}{{ heavy }}{% endmacro %}", encoding="utf-8")
    (tmp_path / "heavy.html").write_text(
        '{% import "parts.html" as parts with context %}{% macro own() %}{{ parts.told() }}{% endmacro %}'
        "{{ own() }}",
        encoding="utf-8",
    )
    request = Request({"type": "http", "method": "GET", "path": "/", "headers": [], "state": {}})
    heavy = Heavy()
    gone = weakref.ref(heavy)
    gc.disable()
    try:
        text = bytes(page(request, environment(tmp_path), "heavy.html", {"heavy": heavy}).body).decode()
        del heavy
        assert "Heavy object" in text
        assert gone() is None
    finally:
        gc.enable()


def rendered(env: Environment, source: str) -> str:
    return env.from_string('{% import "ui.html" as ui %}' + source).render()


def test_a_score_row_is_made_of_radio_buttons(env: Environment) -> None:
    html = rendered(env, '{{ ui.score("nps", "How likely?", 0, 10, "Not at all", "Very", value=9) }}')
    assert html.count('type="radio"') == 11
    assert html.count(" checked") == 1
    assert 'value="9" required checked' in html
    assert "<legend>How likely?</legend>" in html


def test_zero_can_be_preselected(env: Environment) -> None:
    assert 'value="0" required checked' in rendered(env, '{{ ui.score("n", "?", 0, 10, "a", "b", value=0) }}')


def test_a_field_tells_its_error_to_a_screen_reader(env: Environment) -> None:
    html = rendered(env, '{{ ui.input("name", "Name", value="<b>", error="Too short", hint="Full name") }}')
    assert 'aria-invalid="true"' in html
    assert 'aria-describedby="e-name h-name"' in html
    assert 'id="e-name"' in html
    assert "&lt;b&gt;" in html


def test_a_state_is_said_in_words(env: Environment) -> None:
    assert '<span class="badge is-danger">Overdue</span>' in rendered(
        env, '{{ ui.badge("Overdue", "danger") }}'
    )


def test_a_danger_interrupts_and_other_messages_wait(env: Environment) -> None:
    assert 'role="alert"' in rendered(env, '{{ ui.flash("No", "danger") }}')
    assert 'role="status"' in rendered(env, '{{ ui.flash("Yes", "ok") }}')
