"""`afterword mail`: will receivers believe our mails, and what to tell a customer's IT."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import dns.exception
import dns.resolver
import typer
from rich.console import Console
from rich.text import Text

from services.cli.deployment import DATA_DIR, opened
from services.dispatch.domain.mail_check import (
    Finding,
    Grade,
    Records,
    Sending,
    allow_list_note,
    examine,
    names_of,
)
from services.dispatch.store.queue import house, organisation_of
from shared.contracts.directory import OrganisationChanged

app = typer.Typer(no_args_is_help=True)
console = Console(markup=False)
DataDir = Annotated[Path, typer.Option("--data", help="Directory of the embedded deployment.")]
SECONDS = 5.0
_COLOURS = {Grade.GOOD: "green", Grade.WEAK: "yellow", Grade.BAD: "red"}


@app.command()
def check(
    return_domain: Annotated[
        str, typer.Option(envvar="AFTERWORD_DISPATCH_RETURN_DOMAIN", help="Domain of the return addresses.")
    ] = "",
    selector: Annotated[
        str,
        typer.Option(envvar="AFTERWORD_DISPATCH_DKIM_SELECTOR", help="Selector of the DKIM key."),
    ] = "",
    signing_domain: Annotated[
        str, typer.Option(envvar="AFTERWORD_DISPATCH_DKIM_DOMAIN", help="Domain that signs.")
    ] = "",
    note: Annotated[Path | None, typer.Option(help="Write the note for a customer's IT here.")] = None,
    resolver: Annotated[
        str, typer.Option(help="Name server to ask (address or address:port); else the system's.")
    ] = "",
    data: DataDir = DATA_DIR,
) -> None:
    """Read SPF, DKIM and DMARC of the sending domain, and their alignment. Exit code 1 when one is bad."""
    organisation = asyncio.run(_organisation(data))
    address = organisation.sender.email
    sender = address.rpartition("@")[2].lower()
    sending = Sending(
        sender,
        (return_domain or sender).lower(),
        selector,
        signing_domain.lower(),
        returns_here=bool(return_domain),
    )
    records = look_up(sending, resolver)
    findings = examine(sending, records)
    for finding in findings:
        _tell(finding)
    if note is not None:
        spf = records.of(sending.envelope, "v=spf1")
        name = organisation.brand.name or organisation.name
        note.write_text(
            allow_list_note(sending, name, address, organisation.public_url, spf), encoding="utf-8"
        )
        console.print(f"The note is in {note}.")
    if any(finding.grade is Grade.BAD for finding in findings):
        raise typer.Exit(1)


def look_up(sending: Sending, server: str) -> Records:
    """Ask DNS for all that decides."""
    asked = _resolver(server)
    texts = {name: _texts(asked, name) for name in names_of(sending)}
    takes = {sending.envelope: bool(_answers(asked, sending.envelope, "MX"))}
    return Records(texts, takes)


def _resolver(server: str) -> dns.resolver.Resolver:
    if not server:
        return dns.resolver.Resolver()
    resolver = dns.resolver.Resolver(configure=False)
    host, _, port = server.rpartition(":") if server.count(":") == 1 else (server, "", "53")
    resolver.nameservers = [host]
    resolver.port = int(port)
    return resolver


def _texts(resolver: dns.resolver.Resolver, name: str) -> list[str]:
    return [
        "".join(part.decode("utf-8", "replace") for part in one.strings)
        for one in _answers(resolver, name, "TXT")
    ]


def _answers(resolver: dns.resolver.Resolver, name: str, kind: str) -> Sequence[dns.resolver.Answer]:
    try:
        return list(resolver.resolve(name, kind, lifetime=SECONDS))
    except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
        return []
    except dns.exception.DNSException as error:
        console.print(f"DNS does not answer for {name}: {type(error).__name__}", style="red", highlight=False)
        raise typer.Exit(2) from error


def _tell(finding: Finding) -> None:
    grade = (f"{finding.grade:4}", f"{_COLOURS[finding.grade]} bold")
    console.print(Text.assemble(grade, " ", (finding.what, "bold"), f": {finding.found}"))
    if finding.to_do:
        console.print(f"     {finding.to_do}", style="dim", highlight=False)


async def _organisation(data: Path) -> OrganisationChanged:
    async with opened("dispatch", data) as platform, platform.db.read() as conn:
        found = await house(conn)
    if found is None:
        console.print("The organisation is not known yet: start the services once.")
        raise typer.Exit(1)
    return organisation_of(found)
