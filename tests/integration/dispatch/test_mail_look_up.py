"""`afterword mail check` asks a real name server, here one on loopback."""

from __future__ import annotations

import socketserver
import threading
from collections.abc import Iterator

import dns.message
import dns.rcode
import dns.rrset
import pytest
import typer
from typing_extensions import override

from services.cli.mail import look_up
from services.dispatch.domain.mail_check import Grade, Sending, examine

ZONE = {
    ("northwind.example.", "TXT"): '"v=spf1 ip4:192.0.2.1 " "-all"',
    ("_dmarc.northwind.example.", "TXT"): '"v=DMARC1; p=none"',
    ("northwind.example.", "MX"): "10 mx.northwind.example.",
}


class Server(socketserver.BaseRequestHandler):
    """Answers from the zone; of anything else it says that it does not exist."""

    @override
    def handle(self) -> None:
        packet, socket = self.request
        query = dns.message.from_wire(packet)
        [question] = query.question
        answer = dns.message.make_response(query)
        name, kind = question.name.to_text(), question.rdtype.name
        if name == "broken.example.":
            answer.set_rcode(dns.rcode.SERVFAIL)
        elif text := ZONE.get((name, kind)):
            answer.answer.append(dns.rrset.from_text(question.name, 60, "IN", kind, text))
        else:
            answer.set_rcode(dns.rcode.NXDOMAIN)
        socket.sendto(answer.to_wire(), self.client_address)


@pytest.fixture
def name_server() -> Iterator[str]:
    with socketserver.UDPServer(("127.0.0.1", 0), Server) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


@pytest.mark.requirement("R56")
def test_records_are_read_as_they_are_published(name_server: str) -> None:
    sending = Sending("northwind.example", "northwind.example", "s1", returns_here=True)
    records = look_up(sending, name_server)
    assert records.of("northwind.example", "v=spf1") == ["v=spf1 ip4:192.0.2.1 -all"]
    grades = {one.what.split(" ")[0]: one.grade for one in examine(sending, records)}
    assert grades == {
        "SPF": Grade.GOOD,
        "DKIM": Grade.BAD,
        "DMARC": Grade.WEAK,
        "alignment": Grade.WEAK,
    }


def test_a_name_server_that_fails_is_no_finding(name_server: str) -> None:
    with pytest.raises(typer.Exit) as caught:
        look_up(Sending("broken.example", "broken.example"), name_server)
    assert caught.value.exit_code == 2
