"""Whether receivers can believe that a mail is ours: SPF, DKIM, DMARC and their alignment, from DNS records.

Decided from what was looked up, so that each rule can be tried without a network. What only a receiver knows
(reputation, content) is not said here.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

MAX_LOOKUPS = 10
_LOOKS_UP = re.compile(r"[+?~-]?(?:include:|a(?:[:/]|$)|mx(?:[:/]|$)|ptr|exists:)|redirect=", re.IGNORECASE)
_TAG = re.compile(r"\s*([a-z]+)\s*=\s*(.*?)\s*\Z", re.IGNORECASE | re.DOTALL)
_SHORT_KEY_BYTES = 250
"""A 2048-bit RSA key takes 294 bytes in DER, a 1024-bit one 162."""


class Grade(StrEnum):
    """How a finding weighs."""

    GOOD = "good"
    WEAK = "weak"
    BAD = "bad"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at, what was found, and what to do about it."""

    what: str
    grade: Grade
    found: str
    to_do: str = ""


@dataclass(frozen=True, slots=True)
class Sending:
    """How mails leave.

    Attributes:
        sender: domain of the visible sender.
        envelope: domain of the return address.
        selector: of the DKIM key; "" when nothing here signs and none was named.
        signing_domain: the domain that signs.
        public_key: of our private key, as base64 of DER; "" when it is not here.
        returns_here: bounces come to `envelope`, so it must take mail.
    """

    sender: str
    envelope: str
    selector: str = ""
    signing_domain: str = ""
    public_key: str = ""
    returns_here: bool = False


@dataclass(frozen=True, slots=True)
class Records:
    """What DNS says: name -> texts, and name -> whether it takes mail."""

    texts: Mapping[str, Sequence[str]]
    takes_mail: Mapping[str, bool]

    def of(self, name: str, start: str) -> list[str]:
        """Texts of a name that begin with a version."""
        return [text for text in self.texts.get(name, ()) if text.lower().startswith(start)]


def names_of(sending: Sending) -> list[str]:
    """The names whose texts must be looked up."""
    names = [sending.envelope, *_dmarc_names(sending.sender)]
    if sending.selector:
        names.append(_key_name(sending))
    return names


def examine(sending: Sending, records: Records) -> list[Finding]:
    """Look at everything; findings in the order in which a receiver looks."""
    spf, dkim = _spf(sending, records), _dkim(sending, records)
    findings = [spf, dkim, _dmarc(sending, records), _alignment(sending, spf, dkim)]
    if sending.returns_here and not records.takes_mail.get(sending.envelope, False):
        findings.append(
            Finding(
                "return address",
                Grade.BAD,
                f"{sending.envelope} has no MX",
                "Point its MX at the server that hands bounces over.",
            )
        )
    return findings


def _spf(sending: Sending, records: Records) -> Finding:
    found = records.of(sending.envelope, "v=spf1")
    what = f"SPF of {sending.envelope}"
    if not found:
        return Finding(what, Grade.BAD, "no record", 'Publish "v=spf1 include:<your mail service> -all".')
    if len(found) > 1:
        return Finding(what, Grade.BAD, f"{len(found)} records", "Keep one: with two, receivers use none.")
    terms = found[0].split()[1:]
    lookups = sum(1 for term in terms if _LOOKS_UP.match(term))
    if lookups > MAX_LOOKUPS:
        return Finding(what, Grade.BAD, f"{lookups} look-ups", f"Name at most {MAX_LOOKUPS}.")
    last = next((term.lower() for term in terms if term.lower().endswith("all")), "")
    if last in {"all", "+all"}:
        return Finding(what, Grade.BAD, found[0], "It lets everybody send in your name: end it with -all.")
    if last in {"-all", "~all"} or any(term.lower().startswith("redirect=") for term in terms):
        return Finding(what, Grade.GOOD, found[0])
    return Finding(what, Grade.WEAK, found[0], "End it with -all or ~all.")


def _dkim(sending: Sending, records: Records) -> Finding:
    if not sending.selector:
        return Finding(
            "DKIM",
            Grade.WEAK,
            "no selector is known here",
            "Name the one your relay signs with (--selector), or let us sign (AFTERWORD_DISPATCH_DKIM_*).",
        )
    what = f"DKIM key {_key_name(sending)}"
    texts = [text for text in records.texts.get(_key_name(sending), ()) if "p=" in text.replace(" ", "")]
    if not texts:
        return Finding(what, Grade.BAD, "no record", "Publish the public key under this name.")
    tags = _tags(texts[0])
    key = "".join(tags.get("p", "").split())
    return _unusable(what, key, sending) or _weak(what, key, tags) or Finding(what, Grade.GOOD, "published")


def _unusable(what: str, key: str, sending: Sending) -> Finding | None:
    if not key:
        return Finding(what, Grade.BAD, "revoked", "Publish a key, or sign with another selector.")
    if not _size(key):
        return Finding(what, Grade.BAD, "unreadable", "Publish the key as plain base64.")
    if sending.public_key and key != sending.public_key:
        return Finding(what, Grade.BAD, "another key than ours", "Publish the public part of the key in use.")
    return None


def _weak(what: str, key: str, tags: Mapping[str, str]) -> Finding | None:
    if "y" in tags.get("t", "").lower().split(":"):
        return Finding(what, Grade.WEAK, "marked as a test (t=y)", "Remove t=y once all is well.")
    if tags.get("k", "rsa").lower() == "rsa" and _size(key) < _SHORT_KEY_BYTES:
        return Finding(what, Grade.WEAK, "shorter than 2048 bits", "Make a key of 2048 bits.")
    return None


def _size(key: str) -> int:
    """Bytes of a key in base64; 0 when it cannot be read."""
    try:
        return len(base64.b64decode(key, validate=True))
    except (binascii.Error, ValueError):
        return 0


def _dmarc(sending: Sending, records: Records) -> Finding:
    for name in _dmarc_names(sending.sender):
        found = records.of(name, "v=dmarc1")
        if len(found) > 1:
            return Finding(f"DMARC {name}", Grade.BAD, f"{len(found)} records", "Keep one.")
        if found:
            policy = _tags(found[0]).get("p", "").lower()
            if policy in {"quarantine", "reject"}:
                return Finding(f"DMARC {name}", Grade.GOOD, found[0])
            if policy == "none":
                to_do = "Large receivers accept p=none; move to quarantine once the reports are clean."
                return Finding(f"DMARC {name}", Grade.WEAK, found[0], to_do)
            return Finding(f"DMARC {name}", Grade.BAD, found[0], "Set p=none, quarantine or reject.")
    name = f"_dmarc.{sending.sender}"
    return Finding(f"DMARC {name}", Grade.BAD, "no record", 'Publish "v=DMARC1; p=none; rua=mailto:...".')


def _alignment(sending: Sending, spf: Finding, dkim: Finding) -> Finding:
    """DMARC passes when SPF or DKIM does for a domain of the sender's family."""
    by_spf = spf.grade is not Grade.BAD and related(sending.envelope, sending.sender)
    signs = bool(sending.selector) and dkim.grade is not Grade.BAD
    by_dkim = signs and related(sending.signing_domain or sending.sender, sending.sender)
    ways = [way for way, holds in (("SPF", by_spf), ("DKIM", by_dkim)) if holds]
    if len(ways) > 1:
        return Finding("alignment", Grade.GOOD, "by SPF and DKIM")
    if ways:
        to_do = "Forwarded mail loses SPF: let DKIM align, too." if ways == ["SPF"] else ""
        return Finding("alignment", Grade.WEAK if to_do else Grade.GOOD, f"by {ways[0]} alone", to_do)
    to_do = f"Sign as {sending.sender}, or take return addresses below it."
    return Finding("alignment", Grade.BAD, "neither by SPF nor by DKIM", to_do)


def related(one: str, other: str) -> bool:
    """Whether one domain is the other or lies below it (relaxed alignment, without the list of suffixes)."""
    return one == other or one.endswith(f".{other}") or other.endswith(f".{one}")


def allow_list_note(sending: Sending, company: str, address: str, links: str, spf: Sequence[str]) -> str:
    """What a customer's IT needs to let our surveys through, as a text to forward (R56)."""
    lines = [
        f"{company} sends short surveys to people of your company. Please let them through:",
        "",
        f"- Sender (From):            {address}",
        f"- Return address (envelope): anything at {sending.envelope}",
    ]
    if sending.selector:
        signing = sending.signing_domain or sending.sender
        lines.append(f"- DKIM signature:           d={signing}; s={sending.selector}")
    networks = [t for text in spf for t in text.split() if t.lower().startswith(("ip4:", "ip6:", "include:"))]
    if networks:
        lines.append(f"- Sending servers (SPF):    {', '.join(networks)}")
    lines += [
        f"- Links in the mail:        {links.rstrip('/')}/s/... and /u/...",
        "",
        "Allow by the DKIM signature or by SPF together with the sender, not by the sender alone, which",
        "anybody can write. Please exempt the links from being opened by a scanner: each is one person's,",
        "and it is safe to open, for nothing happens before a button is pressed. Every mail has",
        "List-Unsubscribe with one click; there are no attachments, no tracking pixels and no redirects.",
    ]
    return "\n".join(lines) + "\n"


def _key_name(sending: Sending) -> str:
    return f"{sending.selector}._domainkey.{sending.signing_domain or sending.sender}"


def _dmarc_names(domain: str) -> list[str]:
    """The domain's own record, else the one of the domain above, down to two labels."""
    labels = domain.split(".")
    return [f"_dmarc.{'.'.join(labels[start:])}" for start in range(len(labels) - 1)]


def _tags(text: str) -> dict[str, str]:
    found = (_TAG.match(part) for part in text.split(";"))
    return {match[1].lower(): match[2] for match in found if match}
