"""Lists of who is not written to: what each line says, and that no cell is a formula."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.dispatch.domain.address import Address
from services.dispatch.domain.phone import Phone
from services.dispatch.domain.stop_list import Entry, read_list, written
from shared.contracts.reasons import Reason

B = Address("b", "c.example")
HASH = "A" * 43
CONTACT = "0b6c1a52-51c5-5d6e-9a0b-6a1c52e4f7aa"


def entries(text: str) -> list[Entry | str]:
    return [line.entry or line.problem for line in read_list(text, "opted_out", "mailchimp")]


@pytest.mark.requirement("R57")
@pytest.mark.parametrize(
    ("head", "line", "expected"),
    [
        ("Email", " b@C.example ", Entry(B, "address", Reason.OPTED_OUT, "mailchimp")),
        ("phone", "'+46701740605", Entry(Phone("+46701740605"), "address", Reason.OPTED_OUT, "mailchimp")),
        ("email,reason", "b@c.example,Hard Bounce", Entry(B, "address", Reason.BOUNCED, "mailchimp")),
        ("email,source", "b@c.example,CRM", Entry(B, "address", Reason.OPTED_OUT, "crm")),
        ("kind,subject", f"address,{HASH}", Entry(HASH, "address", Reason.OPTED_OUT, "mailchimp")),
        (
            "kind,subject,programme", f"contact,{CONTACT},nps",
            Entry(CONTACT, "contact", Reason.OPTED_OUT, "mailchimp", "nps"),
        ),
        ("email", "a@b.example@c.example", "email: not one plain address"),
        ("email", "nobody", "email: not one plain address"),
        ("email,phone", ",070-174", "phone: no international number"),
        ("email,reason", ",x", "reason: not one of"),
        ("email,name", ",Anna", "neither an e-mail address nor a number"),
        ("email,source", "a@b.example,Anna Öberg", "source: letters"),
        ("kind,subject", "address,anna@kund.example", "subject: neither"),
        ("kind,subject", "contact,7", "badly formed hexadecimal UUID string"),
        ("name", "Anna", "no column named email, phone or subject"),
    ],
)  # fmt: skip
def test_each_line_says_whom_why_and_by_whom(head: str, line: str, expected: Entry | str) -> None:
    [found] = entries(f"\ufeff{head}\r\n{line}\r\n")
    assert found == expected if isinstance(expected, Entry) else str(found).startswith(expected)


def test_a_line_that_cannot_be_used_is_named_by_its_number() -> None:
    lines = list(read_list("email\na@b.example\nno\nc@d.example\n", "opted_out", "x"))
    assert [(line.number, bool(line.entry)) for line in lines] == [(2, True), (3, False), (4, True)]


@given(st.text(max_size=20))
def test_no_cell_that_is_written_begins_a_formula(text: str) -> None:
    assert not str(written(text)).startswith(("=", "+", "-", "@", "\t", "\r"))
