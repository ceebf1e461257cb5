"""A DNS server on loopback, UDP and TCP on one port, that serves a zone on paper (tests.dns.Zone) as it is right now.

    with Nameserver(Zone({"a.example": {"TXT": ["v=spf1 -all"]}})) as server:
        Resolver([(server.host, server.port)])

Records are those of `tests.dns`; a TXT may also be a tuple of the strings to split it into. Instead of them a name (or
one kind of it) may be the name of a response code ("SERVFAIL", "REFUSED"), or "TIMEOUT", which is silence. Answers that
do not fit into `udp_octets` are truncated. What was asked stands in `asked`.
"""

import contextlib
import socket
import socketserver
import struct
import threading
from collections.abc import Iterator
from typing import Any

import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import dns.rrset

from tests.dns import Zone

MAX_CHAIN = 16  # aliases that one answer follows


class Nameserver:
    """`ttl` of what is there, `negative_ttl` (the SOA's minimum) of what is not; `port` 0: a free one.

    `validates`: it says that it has, as a resolver does; nothing here is signed.
    """

    def __init__(
        self,
        zone: Zone,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        ttl: int = 300,
        negative_ttl: int | None = 60,
        udp_octets: int = 1232,
        validates: bool = True,
    ) -> None:
        self.validates = validates
        self.zone, self.ttl, self.negative_ttl, self.udp_octets = zone, ttl, negative_ttl, udp_octets
        self.host, self.port = host, port
        self.asked: list[tuple[str, str, str]] = []  # name, kind, "udp" or "tcp"
        self._servers: list[socketserver.BaseServer] = []

    def __enter__(self) -> "Nameserver":
        family = socket.AF_INET6 if ":" in self.host else socket.AF_INET
        udp = type("Udp", (socketserver.ThreadingUDPServer,), {"address_family": family, "daemon_threads": True})
        tcp = type(
            "Tcp",
            (socketserver.ThreadingTCPServer,),
            {"address_family": family, "daemon_threads": True, "allow_reuse_address": True},
        )
        self._servers = [*_on_one_port(udp, tcp, self.host, self.port)]
        self.port = self._servers[0].server_address[1]
        for server in self._servers:
            server.nameserver = self  # type: ignore[attr-defined]
            threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        for server in self._servers:
            server.shutdown()
            server.server_close()

    def reply(self, wire: bytes, way: str) -> bytes | None:
        """The answer on the wire; None: silence."""
        query = dns.message.from_wire(wire)
        question = query.question[0]
        kind = dns.rdatatype.to_text(question.rdtype)
        self.asked.append((_plain(question.name), kind, way))
        response = dns.message.make_response(query, recursion_available=True)
        word = self._fill(response, question.name, kind)
        if word == "TIMEOUT":
            return None
        if word:
            response.set_rcode(dns.rcode.from_text(word))
        if self.validates:
            response.flags |= dns.flags.AD
        full = response.to_wire(max_size=65535)
        if way == "tcp" or len(full) <= self.udp_octets:
            return full
        short = dns.message.make_response(query, recursion_available=True)
        short.flags |= dns.flags.TC
        return short.to_wire()

    def _fill(self, response: dns.message.Message, name: dns.name.Name, kind: str) -> str:
        """Put the answer in; the word for what goes wrong, "" if nothing does."""
        for _ in range(MAX_CHAIN):
            found = self.zone.names.get(_plain(name))
            if found is None:
                self._deny(response)
                return "" if self._has_below(name) else "NXDOMAIN"
            if isinstance(found, str):
                return found
            records = found.get(kind, ())
            if isinstance(records, str):
                return records
            if records or "CNAME" not in found:
                break
            response.answer.append(self._rrset(name, "CNAME", found["CNAME"]))
            name = dns.name.from_text(str(found["CNAME"][0]))
        if records:
            response.answer.append(self._rrset(name, kind, records))
        else:
            self._deny(response)
        return ""

    def _has_below(self, name: dns.name.Name) -> bool:
        """Whether names exist below it, so that it exists itself, empty (RFC 8020)."""
        end = "." + _plain(name)
        return any(each.endswith(end) for each in self.zone.names)

    def _deny(self, response: dns.message.Message) -> None:
        if self.negative_ttl is not None:
            soa = f". . 1 3600 600 86400 {self.negative_ttl}"
            response.authority.append(dns.rrset.from_text(".", self.negative_ttl, "IN", "SOA", soa))

    def _rrset(self, name: dns.name.Name, kind: str, records: Any) -> dns.rrset.RRset:
        rdtype = dns.rdatatype.from_text(kind)
        made = [dns.rdata.from_text(dns.rdataclass.IN, rdtype, _text(kind, each)) for each in records]
        return dns.rrset.from_rdata_list(name, self.ttl, made)


def _plain(name: dns.name.Name) -> str:
    """The name as a zone on paper has it, without escapes."""
    return ".".join(label.decode("latin-1") for label in name.labels[:-1]).lower()


def _text(kind: str, record: Any) -> str:
    """A record as a zone file has it."""
    if kind == "MX":
        return f"{record[0]} {_absolute(record[1])}"
    if kind != "TXT":
        return record if kind in ("A", "AAAA") else _absolute(record)
    parts = record if isinstance(record, tuple) else (record,)
    octets = [part.encode() if isinstance(part, str) else part for part in parts]
    strings = [each[at : at + 255] for each in octets for at in range(0, max(len(each), 1), 255)]
    return " ".join('"' + "".join(f"\\{octet:03d}" for octet in each) + '"' for each in strings)


def _absolute(name: str) -> str:
    return name.rstrip(".") + "."


class _Udp(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        wire, sock = self.request
        if (answer := self.server.nameserver.reply(wire, "udp")) is not None:  # type: ignore[attr-defined]
            sock.sendto(answer, self.client_address)


class _Tcp(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        while head := self.rfile.read(2):
            wire = self.rfile.read(struct.unpack("!H", head)[0])
            answer = self.server.nameserver.reply(wire, "tcp")  # type: ignore[attr-defined]
            if answer is not None:
                self.wfile.write(struct.pack("!H", len(answer)) + answer)


def _on_one_port(udp: type, tcp: type, host: str, port: int) -> Iterator[socketserver.BaseServer]:
    for attempt in range(20):
        first = udp((host, port), _Udp)
        try:
            second = tcp((host, first.server_address[1]), _Tcp)
        except OSError:
            first.server_close()
            if port or attempt == 19:
                raise
            continue
        yield from (first, second)
        return


@contextlib.contextmanager
def silence() -> Iterator[tuple[str, int]]:
    """A server (host, port) that never answers."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as deaf:
        deaf.bind(("127.0.0.1", 0))
        yield deaf.getsockname()
