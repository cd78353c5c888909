"""SPF, DKIM, DMARC and their alignment, rule by rule; what to tell a customer's IT."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.dispatch.domain.mail_check import (
    Finding,
    Grade,
    Records,
    Sending,
    allow_list_note,
    examine,
    names_of,
    related,
)

DOMAIN = "northwind.example"
KEY = base64.b64encode(b"k" * 294).decode()
SENDING = Sending(DOMAIN, DOMAIN, "s1")
GOOD_RECORDS: Mapping[str, Sequence[str]] = {
    DOMAIN: ["google-site-verification=x", "v=spf1 include:_spf.example -all"],
    f"s1._domainkey.{DOMAIN}": [f"v=DKIM1; k=rsa; p={KEY}"],
    f"_dmarc.{DOMAIN}": ["v=DMARC1; p=quarantine; rua=mailto:d@northwind.example"],
}


def found(
    changes: Mapping[str, Sequence[str]] | None = None, sending: Sending = SENDING, *, mx: bool = True
) -> dict[str, Finding]:
    records = Records({**GOOD_RECORDS, **(changes or {})}, {sending.envelope: mx})
    return {one.what.split(" ")[0]: one for one in examine(sending, records)}


@pytest.mark.requirement("R56")
def test_a_domain_that_is_set_up_well_is_good() -> None:
    assert {one.grade for one in found().values()} == {Grade.GOOD}
    assert found()["alignment"].found == "by SPF and DKIM"


@pytest.mark.requirement("R56")
@pytest.mark.parametrize(
    ("records", "grade"),
    [
        ([], Grade.BAD),
        (["v=spf1 -all", "v=spf1 mx -all"], Grade.BAD),
        (["v=spf1 +all"], Grade.BAD),
        (["v=spf1 all"], Grade.BAD),
        (["v=spf1 " + " ".join(f"include:{n}.example" for n in range(10)) + " -all"], Grade.GOOD),
        (["v=spf1 " + " ".join(f"include:{n}.example" for n in range(11)) + " -all"], Grade.BAD),
        (["v=spf1 ip4:192.0.2.1 ~all"], Grade.GOOD),
        (["v=spf1 redirect=_spf.example"], Grade.GOOD),
        (["v=spf1 ip4:192.0.2.1 ?all"], Grade.WEAK),
        (["v=spf1 ip4:192.0.2.1"], Grade.WEAK),
        (["V=SPF1 a mx -ALL"], Grade.GOOD),
    ],
)
def test_spf(records: list[str], grade: Grade) -> None:
    assert found({DOMAIN: records})["SPF"].grade is grade


@pytest.mark.requirement("R56")
@pytest.mark.parametrize(
    ("records", "grade"),
    [
        ([], Grade.BAD),
        (["v=DKIM1; p="], Grade.BAD),
        (["v=DKIM1; p=!!!"], Grade.BAD),
        ([f"v=DKIM1; p={KEY}; t=y"], Grade.WEAK),
        ([f"v=DKIM1; p={base64.b64encode(b'k' * 162).decode()}"], Grade.WEAK),
        ([f"v=DKIM1; k=ed25519; p={base64.b64encode(b'k' * 32).decode()}"], Grade.GOOD),
        ([f"p={KEY[:40]} {KEY[40:]}"], Grade.GOOD),
    ],
)
def test_dkim(records: list[str], grade: Grade) -> None:
    assert found({f"s1._domainkey.{DOMAIN}": records})["DKIM"].grade is grade


def test_a_key_that_is_not_ours_is_bad() -> None:
    ours = Sending(DOMAIN, DOMAIN, "s1", public_key=KEY)
    assert found(sending=ours)["DKIM"].grade is Grade.GOOD
    other = base64.b64encode(b"x" * 294).decode()
    assert found({f"s1._domainkey.{DOMAIN}": [f"p={other}"]}, ours)["DKIM"].grade is Grade.BAD


@pytest.mark.requirement("R56")
@pytest.mark.parametrize(
    ("records", "grade"),
    [
        ([], Grade.BAD),
        (["v=DMARC1; p=none"], Grade.WEAK),
        (["v=DMARC1; p=reject"], Grade.GOOD),
        (["v=DMARC1; p=maybe"], Grade.BAD),
        (["v=DMARC1; p=reject", "v=DMARC1; p=none"], Grade.BAD),
    ],
)
def test_dmarc(records: list[str], grade: Grade) -> None:
    assert found({f"_dmarc.{DOMAIN}": records})["DMARC"].grade is grade


def test_the_domain_above_speaks_for_one_below() -> None:
    below = Sending(f"mail.{DOMAIN}", f"mail.{DOMAIN}", "s1", DOMAIN)
    assert f"_dmarc.{DOMAIN}" in names_of(below)
    assert found({f"mail.{DOMAIN}": ["v=spf1 mx -all"]}, below)["DMARC"].grade is Grade.GOOD


@pytest.mark.parametrize(
    ("envelope", "selector", "signing", "grade"),
    [
        (DOMAIN, "s1", "", Grade.GOOD),
        (f"bounce.{DOMAIN}", "", "", Grade.WEAK),
        ("relay.example", "s1", "", Grade.GOOD),
        ("relay.example", "", "", Grade.BAD),
        ("relay.example", "s1", "relay.example", Grade.BAD),
    ],
)
def test_spf_or_dkim_must_speak_for_the_sender(
    envelope: str, selector: str, signing: str, grade: Grade
) -> None:
    sending = Sending(DOMAIN, envelope, selector, signing)
    records = {envelope: ["v=spf1 mx -all"], "s1._domainkey.relay.example": [f"p={KEY}"]}
    assert found(records, sending)["alignment"].grade is grade


def test_a_return_address_needs_a_server_that_takes_mail() -> None:
    sending = Sending(DOMAIN, DOMAIN, "s1", returns_here=True)
    assert found(sending=sending, mx=False)["return"].grade is Grade.BAD
    assert "return" not in found(sending=sending)
    assert "return" not in found(mx=False)


@given(st.lists(st.text(max_size=60), max_size=3), st.lists(st.text(max_size=60), max_size=3))
def test_no_record_breaks_the_check(spf: list[str], key: list[str]) -> None:
    names = {DOMAIN: [f"v=spf1{one}" for one in spf], f"s1._domainkey.{DOMAIN}": [f"p={one}" for one in key]}
    assert all(one.grade in Grade for one in found(names).values())


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        (DOMAIN, DOMAIN, True),
        (f"a.{DOMAIN}", DOMAIN, True),
        (DOMAIN, f"a.{DOMAIN}", True),
        ("evil" + DOMAIN, DOMAIN, False),
    ],
)
def test_related_domains(one: str, other: str, *, expected: bool) -> None:
    assert related(one, other) is expected


@pytest.mark.requirement("R56")
def test_the_note_names_all_that_an_allow_list_asks_for() -> None:
    note = allow_list_note(
        SENDING, "Northwind", f"karin@{DOMAIN}", f"https://ask.{DOMAIN}/", GOOD_RECORDS[DOMAIN][1:]
    )
    for part in (f"karin@{DOMAIN}", f"d={DOMAIN}; s=s1", "include:_spf.example", f"https://ask.{DOMAIN}/s/"):
        assert part in note
