"""Lists of who is not written to: what each line says, and that no cell is a formula."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.dispatch.domain.address import Address
from services.dispatch.domain.phone import Phone
from services.dispatch.domain.stop_list import BY_HAND, Entry, Grounds, grounds_for, read_list
from shared.contracts.model import Channel
from shared.contracts.reasons import Reason
from shared.web.exports import plain

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
        (
            "kind,subject,channel", f"address,{HASH},sms",
            Entry(HASH, "address", Reason.OPTED_OUT, "mailchimp", channel=Channel.SMS),
        ),
        ("kind,subject,channel", f"address,{HASH},fax", "channel: email or sms"),
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
    assert not str(plain(text)).startswith(("=", "+", "-", "@", "\t", "\r"))


def test_a_file_that_is_no_csv_from_some_line_on_says_so_there() -> None:
    lines = list(read_list("email\na@b.example\n" + "x" * 200_000 + "\n", "opted_out", "x"))
    assert lines[0].entry is not None
    assert lines[1].problem.startswith("the file ends here for us: field larger than")
    assert lines[2:] == []


@pytest.mark.requirement("R57")
@pytest.mark.parametrize(
    ("kind", "reason", "source", "expected"),
    [
        ("address", Reason.OPTED_OUT, "mailchimp", (Grounds.AGREED,)),
        ("address", Reason.OPTED_OUT, BY_HAND, (Grounds.AGREED, Grounds.MISTAKE)),
        ("address", Reason.BOUNCED, "smtp", (Grounds.WORKS_AGAIN,)),
        ("address", Reason.INVALID_ADDRESS, BY_HAND, (Grounds.WORKS_AGAIN, Grounds.MISTAKE)),
        ("address", Reason.ERASED, BY_HAND, ()),
        ("contact", Reason.OPTED_OUT, BY_HAND, ()),
        ("contact", Reason.BOUNCED, "smtp", ()),
    ],
)
def test_an_entry_is_taken_off_only_on_grounds_that_its_reason_allows(
    kind: str, reason: Reason, source: str, expected: tuple[Grounds, ...]
) -> None:
    assert grounds_for(kind, reason, source) == expected
