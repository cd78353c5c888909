import gc
import weakref
from datetime import UTC, datetime
from pathlib import Path

import pytest
from fastapi import Request
from jinja2 import Environment, UndefinedError

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
