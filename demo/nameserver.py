"""DNS for the demonstration, so that nothing of it asks the world: what zone files say, as they are right now.

A file `NAME.zone` in `$DEMO_DIR/zones` is published at once. Whoever adds a domain in the web pages publishes it with
`smtpy domain dns NAME --format zone > .../zones/NAME.zone`, and watches the checks turn green.
"""

import asyncio
import os
import signal
import sys
from pathlib import Path

import dns.exception
import dns.message
import dns.name
import dns.rcode
import dns.rdataclass
import dns.rdatatype
import dns.rrset
import dns.zonefile

PORT = int(os.environ["DEMO_DNS"])
FOLDER = Path(os.environ["DEMO_DIR"]) / "zones"
TTL = 5  # seconds: a change is seen soon
START = dns.rrset.from_text(".", TTL, "IN", "SOA", f". . 1 3600 600 86400 {TTL}")
MOST_OCTETS = 4096


def records() -> list[dns.rrset.RRset]:
    """Of all files; one that cannot be read is told of and left out."""
    found: list[dns.rrset.RRset] = []
    for path in sorted(FOLDER.glob("*.zone")):
        try:
            text = path.read_text(encoding="utf-8")
            found += dns.zonefile.read_rrsets(text, origin=dns.name.root, default_ttl=TTL, rdclass=None)
        except (dns.exception.DNSException, OSError, ValueError) as error:
            print(f"{path.name} is left out: {error}")
    return found


def answer(wire: bytes) -> bytes:
    """What the files say to a question. Raises dns.exception.DNSException."""
    query = dns.message.from_wire(wire)
    response = dns.message.make_response(query, recursion_available=True)
    asked = query.question[0]
    there = {(each.name, each.rdtype): each for each in records()}
    name, names = asked.name, {name for name, _ in there}
    while (name, asked.rdtype) not in there and (link := there.get((name, dns.rdatatype.CNAME))):
        if link in response.answer:
            break
        response.answer.append(link)
        name = link[0].target  # type: ignore[attr-defined]
    if (name, asked.rdtype) in there:
        response.answer.append(there[name, asked.rdtype])
    else:
        response.authority.append(START)
        if not any(each.is_subdomain(name) for each in names):
            response.set_rcode(dns.rcode.NXDOMAIN)
    return response.to_wire(max_size=MOST_OCTETS)


class Server(asyncio.DatagramProtocol):
    """One datagram, one answer."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        try:
            self.transport.sendto(answer(data), addr)  # type: ignore[attr-defined]
        except (dns.exception.DNSException, IndexError) as error:
            print(f"no answer to {addr[0]}: {error}")


async def serve() -> None:
    """Until SIGTERM."""
    loop = asyncio.get_running_loop()
    end = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, end.set)
    transport, _ = await loop.create_datagram_endpoint(Server, ("127.0.0.1", PORT))
    print(f"listening on 127.0.0.1:{PORT}, publishing {FOLDER}/*.zone")
    await end.wait()
    transport.close()


if __name__ == "__main__":
    sys.exit(asyncio.run(serve()))
