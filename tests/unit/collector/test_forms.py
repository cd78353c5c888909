"""`forms.yaml`, what form tools tell, and what becomes of it in our words."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.collector.domain.answers import read
from services.collector.domain.exports import Export, PassedOver, open_export
from services.collector.domain.form_answers import Read, RefusedError, Told, read_told
from services.collector.domain.forms import FormRule, Scale, asked, misfits, read_forms
from services.collector.domain.typeform import BadBodyError, read_webhook
from shared.contracts.forms import SCALES, Form, Question, QuestionType
from tests.support.collector import CES, NPS
from tests.support.forms import (
    AT,
    FORMS,
    MONKEY,
    QUALTRICS,
    chosen,
    monkey,
    qualtrics,
    response,
    text,
    written,
)

pytestmark = pytest.mark.requirement("R71")

NOW = AT + timedelta(minutes=1)
RULES = read_forms(FORMS).value


def rule(key: str, **changes: object) -> FormRule:
    assert RULES is not None
    known = RULES.forms[key]
    return FormRule.model_validate({name: getattr(known, name) for name in known.model_fields_set} | changes)


def told(**values: str | tuple[str, ...]) -> Told:
    return Told("t1", AT, {name: (one,) if isinstance(one, str) else one for name, one in values.items()})


def reading(key: str, form: Form, one: Told) -> Read:
    return read_told(key, rule(key), asked(rule(key), form), one, NOW)


def refused(key: str, form: Form, one: Told) -> tuple[str, str]:
    with pytest.raises(RefusedError) as caught:
        reading(key, form, one)
    return caught.value.trouble.field, caught.value.trouble.reason


# --- the file -----------------------------------------------------------------------------------------------


def test_the_example_is_fit_to_run() -> None:
    checked = read_forms((Path(__file__).parents[3] / "docs/forms.example.yaml").read_text(encoding="utf-8"))
    assert checked.complaints == ()
    assert checked.value is not None
    assert list(checked.value.forms) == ["delivery-form", "support-monkey", "renewal-qualtrics"]


HEAD = "forms:\n  easy:\n    tool: typeform\n    form_id: a1\n    programme: p\n"
SCORE = "    score: {field: q, scale: 0-10}\n"


@pytest.mark.parametrize(
    ("file", "line", "path", "reason"),
    [
        ("", 1, "", "the file is empty"),
        (HEAD, 2, "forms.easy.score", "score is missing"),
        (HEAD + "    score: {field: q, scale: ten}\n", 6, "forms.easy.score.scale", "must be the lowest"),
        (HEAD + "    score: {field: q, scale: 10-0}\n", 6, "forms.easy.score.scale", "must be the lowest"),
        (HEAD + "    score: {field: q}\n", 6, "forms.easy.score.scale", "scale is missing"),
        (HEAD + SCORE + "    coment: w\n", 7, "forms.easy.coment", "the key 'coment' is not known"),
        (HEAD + SCORE + "    comment: q\n", 2, "forms.easy", "score and comment are in the same field"),
        (HEAD + SCORE + "    contact: {name: n}\n", 7, "forms.easy.contact", "needs id or email"),
        (HEAD + SCORE + "    context: {form: n}\n", 7, "forms.easy.context", "is not 'form'"),
        (HEAD + SCORE + "    context: {A b: n}\n", 7, "forms.easy.context", "'A b' must be lower-case"),
        (HEAD + SCORE + "    zone: UTC\n", 2, "forms.easy", "are for exports"),
        (HEAD.replace("    form_id: a1\n", "") + SCORE, 2, "forms.easy", "needs form_id"),
        (HEAD.replace("typeform", "qualtrics") + SCORE, 2, "forms.easy", "form_id is for Typeform"),
        (HEAD.replace("typeform", "paper") + SCORE, 3, "forms.easy.tool", "'typeform', 'surveymonkey'"),
        (HEAD.replace("easy", "Easy!") + SCORE, 1, "", "the key 'Easy!' must be"),
        (
            HEAD + SCORE + HEAD.replace("forms:\n", "").replace("easy", "two") + SCORE,
            1,
            "",
            "the same form a1",
        ),
        (HEAD + SCORE + "    tool: typeform\n", 7, "", "the key 'tool' is there twice"),
    ],
)
def test_what_is_wrong_with_the_file_is_told_by_line_and_place(
    file: str, line: int, path: str, reason: str
) -> None:
    checked = read_forms(file)
    assert checked.value is None
    first = checked.complaints[0]
    assert (first.line, first.path) == (line, path)
    assert reason in first.reason
    assert first.what_to_do


def test_a_zone_that_does_not_exist_is_named() -> None:
    with pytest.raises(ValueError, match="write one as Europe/Stockholm"):
        rule("monkey", zone="Middle/Earth")


@pytest.mark.parametrize(
    ("changes", "place", "reason"),
    [
        ({"score": {"field": "q", "scale": "1-5"}}, "score.scale", "1-5, nps (nps) is 0-10"),
        (
            {"score": {"field": "q", "scale": "0-10", "values": {"Ten": 11}}},
            "score.values.Ten",
            "no number of 0-10",
        ),
        (
            {"score": {"field": "q", "scale": "0-10", "values": {"Ten": "x"}}},
            "score.values.Ten",
            "no number of 0-10",
        ),
        ({"questions": {"nps": {"field": "q2"}}}, "questions.nps", "is what score answers"),
        ({"questions": {"rate": {"field": "q2"}}}, "questions.rate", "is no question of the programme"),
        ({"questions": {"rate.speed": {"field": "q2"}}}, "questions.rate.speed", "scale is missing"),
        (
            {"questions": {"rate.speed": {"field": "q2", "scale": "0-10"}}},
            "questions.rate.speed.scale",
            "1-5",
        ),
        ({"questions": {"why": {"field": "q2", "scale": "1-5"}}}, "questions.why.scale", "why has no scale"),
        ({"questions": {"why": {"field": "q2"}}, "comment": "q3"}, "comment", "no open question left"),
    ],
)
def test_what_does_not_go_with_the_programme_is_told(
    changes: dict[str, object], place: str, reason: str
) -> None:
    (first,) = misfits(rule("loyal", **({"comment": None, "questions": {}} | changes)), NPS)
    assert ".".join(first.place) == place
    assert reason in first.reason


@pytest.mark.parametrize("kind", [kind for kind in SCALES if kind is not QuestionType.MATRIX])
def test_only_the_scale_of_the_question_fits(kind: QuestionType) -> None:
    form = Form(primary="q", low=1, title={}, questions=(Question(id="q", type=kind, text={}),))
    fit = {
        str(Scale(low, high))
        for low, high in {*SCALES.values(), (1, 10), (0, 5)}
        if not misfits(rule("easy", comment=None, score={"field": "f", "scale": f"{low}-{high}"}), form)
    }
    assert fit == {"{}-{}".format(*SCALES[kind])}


# --- answers in our words -----------------------------------------------------------------------------------


@pytest.mark.parametrize(("score", "question"), [("2", "hard"), ("5", "hard"), ("6", "best")])
def test_a_comment_answers_the_question_that_is_asked_at_this_score(score: str, question: str) -> None:
    one = reading("easy", CES, told(effort=score, words=" The set-up \r\n took a day "))
    assert one.given == {"ces": int(score), question: "The set-up \n took a day"}


def test_nobody_waits_for_what_the_tool_does_not_ask() -> None:
    one = reading("loyal", NPS, told(recommend="10"))
    assert read(asked(rule("loyal"), NPS).form, one.given).complete
    assert not read(NPS, one.given).complete


def test_options_are_known_by_id_by_values_and_by_their_words_in_any_language() -> None:
    for word in ("speed", "SPEED", "Rapidez", " Snabbhet "):
        assert reading("loyal", NPS, told(recommend="3", first=word)).given["matters"] == ["speed"]
    one = reading("loyal", NPS, told(recommend="3", first="cheap", speed="2", may_quote=("Yes",)))
    assert one.given == {"nps": 3, "matters": ["value"], "rate": {"speed": 2}, "quote": "yes"}
    assert one.left_out == ()
    assert read(asked(rule("loyal"), NPS).form, one.given).choices == {
        "matters": ("value",),
        "quote": ("yes",),
    }


def test_what_cannot_be_read_beside_the_score_is_left_out_and_told() -> None:
    values = told(recommend="3", first=("Speed", "People"), speed="9", why="x" * 4100)
    one = reading("loyal", NPS, values)
    assert one.given == {"nps": 3, "why": "x" * 4000}
    places = {trouble.field: trouble.reason for trouble in one.left_out}
    assert places["questions.rate.speed"] == "9 is outside of 1-5"
    assert places["comment"] == "longer than 4000 characters: the rest was left out"
    assert "option" in places["questions.matters"]


def test_no_reason_quotes_what_somebody_wrote() -> None:
    values = told(
        effort="5", words="w" * 5000, your_email="secret at acme", **{"hidden.agent": "secret" * 99}
    )
    one = reading("easy", CES, values)
    assert {trouble.field for trouble in one.left_out} == {"comment", "contact.email", "context.agent"}
    assert not any("secret" in trouble.reason + trouble.what_to_do for trouble in one.left_out)
    assert refused("easy", CES, told(effort="secret")) == ("score", "it is no number of 1-7")


def test_who_and_what_it_is_about_is_read() -> None:
    values = {
        "hidden.contact": "u-1",
        "hidden.account": "a1",
        "hidden.product": "Routes",
        "hidden.agent": "Bo",
    }
    one = reading(
        "easy", CES, told(effort="5", your_email=" MIA@Acme.example", **values, **{"hidden.project": "p9"})
    )
    assert (one.contact_id, one.email, one.account, one.product) == (
        "u-1",
        "MIA@acme.example",
        "a1",
        "Routes",
    )
    assert (one.subject_kind, one.subject_id) == ("project", "p9")
    assert one.context == {"form": "easy", "agent": "Bo"}


@settings(max_examples=100, deadline=None)
@given(st.one_of(st.integers(-200, 200).map(str), st.text(max_size=12), st.just("9" * 300)))
def test_a_score_is_on_the_scale_or_refused(written_score: str) -> None:
    one = told(recommend=written_score)
    plain = written_score.strip().removesuffix(".0")
    if plain.isascii() and plain.isdigit() and int(plain) <= 10:
        assert reading("loyal", NPS, one).given["nps"] == int(plain)
    else:
        field, reason = refused("loyal", NPS, one)
        assert field.startswith("score")
        assert len(reason) < 60, "what somebody wrote is not quoted"


def test_a_time_in_the_future_was_read_with_a_wrong_zone() -> None:
    late = Told("t1", NOW + timedelta(hours=2), {"effort": ("5",)})
    assert refused("easy", CES, late) == ("time", "it was given in the future")
    ahead = Told("t1", NOW + timedelta(minutes=5), {"effort": ("5",)})
    assert reading("easy", CES, ahead).at == NOW, "clocks differ"


# --- Typeform -----------------------------------------------------------------------------------------------


def test_a_response_of_typeform_is_read_by_reference_by_id_and_by_hidden_field() -> None:
    many = {
        "type": "choices", "choices": {"labels": ["London", "Sydney"], "other": "Oslo"},
        "field": {"id": "c", "ref": "cities", "type": "multiple_choice"},
    }  # fmt: skip
    one = {"type": "choice", "choice": {"label": "London"}, "field": {"id": "d", "type": "dropdown"}}
    yes = {"type": "boolean", "boolean": False, "field": {"id": "b", "ref": "ok", "type": "yes_no"}}
    body = response(
        chosen("effort", 3), text("words", "slow"), text("mail", "a@b.example", "email"), many, one, yes,
        hidden={"contact": "u-1", "empty": "", "n": 4},
    )  # fmt: skip
    found = read_webhook(written(body))
    assert found is not None
    assert (found.form_id, found.told.token, found.told.at) == ("lT4Z3j", "t1", AT)
    assert found.told.values == {
        "effort": ("3",), "id-effort": ("3",), "words": ("slow",), "id-words": ("slow",),
        "mail": ("a@b.example",), "id-mail": ("a@b.example",), "cities": ("London", "Sydney", "Oslo"),
        "c": ("London", "Sydney", "Oslo"), "d": ("London",), "ok": ("no",), "b": ("no",),
        "variables.score": ("4",), "hidden.contact": ("u-1",), "hidden.n": ("4",),
    }  # fmt: skip


def test_typeforms_own_nps_question_is_never_taken_for_another_scale() -> None:
    found = read_webhook(written(response(chosen("effort", 5, "nps"))))
    assert found is not None
    assert refused("easy", CES, found.told) == ("score.scale", "the tool asks on 0-10, forms.yaml says 1-7")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (b"no json", "data"),
        (b"[]", "data"),
        (b"{}", "event_type"),
        (b'{"event_type": "form_response"}', "form_response"),
        (written(response(ident="")), "form_response.token"),
        (written(response(form_id="x" * 201)), "form_response.form_id"),
        (written(response(submitted_at="yesterday")), "form_response.submitted_at"),
        (written(response({"type": "number"})), "form_response.answers.0.field"),
        (b'{"event_type":' + b"[" * 100_000, "data"),
    ],
)
def test_a_body_that_is_none_of_typeforms_names_the_field(body: bytes, field: str) -> None:
    with pytest.raises(BadBodyError) as caught:
        read_webhook(body)
    assert str(caught.value).startswith(f"{field}: ")


def test_another_event_is_left_alone() -> None:
    assert read_webhook(written(response(event_type="form_response_partial"))) is None


# --- exports ------------------------------------------------------------------------------------------------


def export_of(key: str, headers: tuple[tuple[str, ...], ...], **changes: object) -> Export:
    found = open_export(rule(key, **changes), headers)
    assert isinstance(found, Export), found
    return found


def test_surveymonkeys_two_lines_name_the_columns() -> None:
    one = export_of("monkey", MONKEY).told(monkey("117", "9", "quick", email="a@b.example", speed="4"), 3)
    assert isinstance(one, Told)
    assert (one.token, one.at, one.line) == ("117", datetime(2026, 3, 3, 8, 30, tzinfo=UTC), 3)
    assert one.values == {
        "How likely are you to recommend us?": ("9",), "Why?": ("quick",), "How do we do? | Speed": ("4",),
        "Email Address": ("a@b.example",),
    }  # fmt: skip


TICKED = tuple(
    (*line, *more)
    for line, more in zip(
        MONKEY,
        (
            ("What matters?", "", "", "May we quote you?"),
            ("Speed", "Cheap", "Other (please specify)", "Yes, do"),
        ),
        strict=True,
    )
)
MULTIPLE = NPS.model_copy(
    update={
        "questions": tuple(
            one.model_copy(update={"type": QuestionType.MULTIPLE} if one.id == "matters" else {})
            for one in NPS.questions
        )
    }
)


def test_surveymonkeys_columns_of_one_question_are_the_options_that_were_ticked() -> None:
    asks = {"matters": {"field": "What matters?", "values": {"Cheap": "value"}}}
    asks |= {"quote": {"field": "May we quote you?", "values": {"Yes, do": "yes"}}}
    one = export_of("monkey", TICKED, questions=asks).told(
        (*monkey("117", "9"), "Speed", "Cheap", "", "Yes"), 3
    )
    assert isinstance(one, Told)
    assert one.values["What matters?"] == ("Speed", "Cheap")
    by = rule("monkey", questions=asks)
    found = read_told("monkey", by, asked(by, MULTIPLE), one, NOW)
    assert found.given == {"nps": 9, "matters": ["speed", "value"], "quote": "yes"}
    assert found.left_out == ()


def test_a_score_or_words_are_never_read_from_several_columns() -> None:
    for changes in ({"comment": "What matters?"}, {"score": {"field": "What matters?", "scale": "0-10"}}):
        found = open_export(rule("monkey", **changes), TICKED)
        assert isinstance(found, list)
        assert "there is no one column 'What matters?'" in found[0].reason


@pytest.mark.parametrize("given", [("Speed,Cheap",), ("speed", "Cheap"), (" Snabbhet, cheap ",)])
def test_options_that_qualtrics_writes_into_one_field_are_told_apart(given: tuple[str, ...]) -> None:
    one = read_told(
        "loyal", rule("loyal"), asked(rule("loyal"), MULTIPLE), told(recommend="9", first=given), NOW
    )
    assert (one.given["matters"], one.left_out) == (["speed", "value"], ())


def test_an_option_with_a_comma_in_it_is_one_option() -> None:
    by = rule("loyal", questions={"matters": {"field": "first", "values": {"Cheap, and good": "value"}}})
    one = read_told("loyal", by, asked(by, MULTIPLE), told(recommend="9", first="Cheap, and good"), NOW)
    assert (one.given["matters"], one.left_out) == (["value"], ())


def test_a_line_of_headers_that_was_taken_out_is_told_and_no_answer_is_quoted() -> None:
    found = open_export(rule("monkey"), (MONKEY[0], monkey("118052219061", "2", "secret words")))
    assert isinstance(found, list)
    assert [one.reason.partition(",")[0] for one in found] == ["the second line is an answer"]
    assert "secret" not in f"{found}"


def test_qualtrics_third_line_says_of_which_zone_the_times_are() -> None:
    one = export_of("qualtrics", QUALTRICS).told(qualtrics("R_1", "9", "quick", id="u-1"), 4)
    assert isinstance(one, Told)
    assert (one.token, one.at) == ("R_1", datetime(2026, 3, 3, 8, 30, tzinfo=UTC))
    assert one.values == {"Q1": ("9",), "Q2": ("quick",), "ExternalReference": ("u-1",)}


@pytest.mark.parametrize(
    ("row", "why"),
    [
        ({"status": "Survey Preview"}, "preview"),
        ({"status": "Spam"}, "preview"),
        ({"status": "1"}, "preview"),
        ({"status": "17"}, "preview"),
        ({"status": "40"}, "preview"),
        ({"finished": "False"}, "unfinished"),
        ({"finished": "0"}, "unfinished"),
        ({"status": "0"}, ""),
        ({"status": "16"}, ""),
        ({"status": "Imported", "finished": "1"}, ""),
    ],
)
def test_previews_spam_and_unfinished_responses_of_qualtrics_are_passed_over(
    row: dict[str, str], why: str
) -> None:
    found = export_of("qualtrics", QUALTRICS).told(qualtrics("R_1", "9", **row), 4)
    assert (found.why if isinstance(found, PassedOver) else "") == why


ON_MARS = (*QUALTRICS[:2], tuple(name.replace("Denver", "Mars") for name in QUALTRICS[2]))


@pytest.mark.parametrize(
    ("key", "headers", "changes", "field", "reason"),
    [
        ("monkey", MONKEY[:1], {}, "", "does not begin with 2 lines"),
        ("qualtrics", QUALTRICS[:2], {}, "", "does not begin with 3 lines"),
        ("qualtrics", (*QUALTRICS[:2], QUALTRICS[1]), {}, "", "the third line is not Qualtrics' own"),
        ("monkey", MONKEY, {"comment": "Why ?"}, "comment", "there is no one column 'Why ?'"),
        ("monkey", MONKEY, {"comment": "How do we do?"}, "comment", "there is no one column"),
        ("monkey", MONKEY, {"zone": ""}, "zone", "nobody says of which zone"),
        ("monkey", MONKEY, {"time": "Date"}, "time", "there is no one column 'Date'"),
        ("qualtrics", ON_MARS, {}, "zone", "the zone that the file names is not known"),
    ],
)  # fmt: skip
def test_a_file_whose_columns_are_not_those_of_the_rule_is_told_so(
    key: str, headers: tuple[tuple[str, ...], ...], changes: dict[str, object], field: str, reason: str
) -> None:
    found = open_export(rule(key, **changes), headers)
    assert isinstance(found, list)
    assert found[0].field == field
    assert reason in found[0].reason
    assert found[0].what_to_do


@pytest.mark.parametrize(
    ("row", "field"),
    [
        (monkey("", "9"), "response_id"),
        (monkey("117", "9", at="soon"), "time"),
        (monkey("117", "9", at="31/03/2026 10:00"), "time"),
        (monkey("117", "9", at="0001-01-01"), "time"),
        (monkey("117", "9")[:-1], ""),
    ],
)
def test_a_row_without_id_time_or_all_its_columns_is_refused(row: tuple[str, ...], field: str) -> None:
    with pytest.raises(RefusedError) as caught:
        export_of("monkey", MONKEY).told(row, 3)
    assert caught.value.trouble.field == field


def test_times_may_be_written_in_another_way() -> None:
    written_so = export_of("monkey", MONKEY, time_format="%d/%m/%Y %H:%M")
    one = written_so.told(monkey("117", "9", at="31/03/2026 10:00"), 3)
    assert isinstance(one, Told)
    assert one.at == datetime(2026, 3, 31, 8, tzinfo=UTC), "summer time in Stockholm"
