"""Which of several things somebody means who takes one back on a terminal."""

from __future__ import annotations

import pytest
import typer

from services.cli.taking_back import Labelled, meant, sure, the_one


def things(*told: tuple[str, str, bool]) -> list[Labelled[str]]:
    return [Labelled(ident, ident, label, stands) for ident, label, stands in told]


KNOWN = things(
    ("1234abcd-0", "wall", True), ("1234abce-0", "wall", True), ("9999abce-0", "1234abcd", True),
    ("5555abce-0", "fair", False), ("6666abce-0", "fair", True), ("7777abce-0", "gone", False),
    ("8888abce-0", "gone", False),
)  # fmt: skip


@pytest.mark.parametrize(
    ("typed", "ids"),
    [
        pytest.param(" wall ", ["1234abcd-0", "1234abce-0"], id="a label of two"),
        pytest.param("1234ABCE", ["1234abce-0"], id="the first letters of an id"),
        pytest.param("1234abcd-0", ["1234abcd-0"], id="an id"),
        pytest.param("1234abc", [], id="seven letters are a label at most"),
        pytest.param("1234abcd", ["1234abcd-0"], id="an id goes before a label"),
        pytest.param("fair", ["6666abce-0"], id="what stands goes before what was taken back"),
        pytest.param("gone", ["7777abce-0"], id="of those taken back the newest"),
        pytest.param("nothing", [], id="unknown"),
        pytest.param("", [], id="nothing typed"),
    ],
)
def test_things_are_meant_by_their_id_or_by_their_label(typed: str, ids: list[str]) -> None:
    assert [one.id for one in meant(KNOWN, typed)] == ids


def test_the_one_is_given_and_else_it_is_said_which_there_are(capsys: pytest.CaptureFixture[str]) -> None:
    assert the_one(KNOWN, "fair", "shared link") == "6666abce-0"
    for typed in ("wall", "nothing"):
        with pytest.raises(typer.Exit):
            the_one(KNOWN, typed, "shared link")
    told = capsys.readouterr().out
    assert "Several are called 'wall': wall 1234abcd, wall 1234abce; give the id." in told.replace("\n", " ")
    assert "There is no shared link 'nothing'." in told


def test_what_was_taken_back_before_is_said_and_not_asked(capsys: pytest.CaptureFixture[str]) -> None:
    assert not sure("fair", stands=False, yes=False)
    assert "fair was taken back before." in capsys.readouterr().out
    assert sure("fair", stands=True, yes=True)
