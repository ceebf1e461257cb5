"""One way to ask DNS for all checks of a process: dnspython below, and before it a memory that all messages share.

`Resolver(...).within(8)` is a `smtpy.dns.Dns` for one message: all its questions together take 8 seconds at the most,
then they are DnsTrouble. What was asked before is answered from memory, the answer "there is none" included (RFC 2308),
for as long as its TTL says, within bounds: at least so long that one message sees one picture, at most so long that a
correction is seen soon. Stale answers are not given: a key that was revoked must not sign on.

A server that does not answer, or answers otherwise than yes or no (SERVFAIL, REFUSED), is followed by the next one; the
one that knew is asked first from then on. Without servers of our own those of /etc/resolv.conf are asked; the file is
read again when none of them answers. Truncated answers are asked for again by TCP.
"""

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.query
import dns.rcode
import dns.rdata
import dns.rdatatype
import dns.resolver
import idna

from smtpy.dns import NO_SUCH_NAME, Answer, Dns, DnsTrouble, Kind, Record

SHORTEST_SECONDS = 5.0  # that an answer is remembered, whatever its TTL
LONGEST_SECONDS = 3600.0
LONGEST_NEGATIVE_SECONDS = 300.0  # a key just published is looked for again after that
TROUBLE_SECONDS = 2.0  # a broken name is not asked again for each signature of a message
MAX_HELD_OCTETS = 32 << 20
ROUNDS = 2  # through all servers: a datagram may get lost
PORT = 53
_EDNS_OCTETS = 1232  # what passes every path unfragmented (DNS flag day 2020)
_OVERHEAD_OCTETS = 400  # of an answer in memory

Server = tuple[str, int]
_Key = tuple[str, Kind]


class NotRemembered(Exception):
    """The answer is not in memory; ask again where waiting is allowed. Not DnsTrouble: checks conclude from that."""


@dataclass(frozen=True, slots=True)
class _Held:
    until: float
    found: Answer | DnsTrouble
    octets: int


class Resolver:
    """`servers`: (address, port); none: those of the system. `timeout`: seconds one server has for one question.

    For any number of threads; keeps no socket open.
    """

    def __init__(
        self, servers: Sequence[Server] = (), timeout: float = 2.0, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._ours = tuple(servers)
        self._order = self._ours
        self._timeout = timeout
        self._clock = clock
        self._held: dict[_Key, _Held] = {}
        self._octets = 0
        self._lock = threading.Lock()

    def within(self, seconds: float) -> Dns:
        """A way to ask for one message, whose questions together take that long at the most."""
        return _Within(self, self._clock() + seconds)

    def remembered(self) -> Dns:
        """The same from memory alone, which takes no time. What is not there is NotRemembered, which is no answer."""
        return _Remembered(self)

    def answer(self, name: str, kind: Kind, end: float) -> Answer:
        """The answer, from memory or by asking until the clock says `end`. Raises DnsTrouble."""
        held = self.held(name, kind)
        return self._fetch(_key(name, kind), end) if held is None else held

    def held(self, name: str, kind: Kind) -> Answer | None:
        """The answer that memory has; None: it has none. Raises DnsTrouble."""
        held = self._held.get(_key(name, kind))  # one look-up of a dict needs no lock
        if held is None or held.until <= self._clock():
            return None
        if isinstance(held.found, DnsTrouble):
            raise DnsTrouble(*held.found.args)
        return held.found

    def _fetch(self, key: _Key, end: float) -> Answer:
        name = _wire_name(key[0])
        if name is None:
            return NO_SUCH_NAME
        query = dns.message.make_query(name, key[1], use_edns=0, payload=_EDNS_OCTETS)
        try:
            found, ttl = _read(self.exchange(query, end))
        except _OutOfTime as late:  # says nothing about the name, so the next message may ask
            raise DnsTrouble(f"{key[0]} {key[1]}: {late}") from None
        except DnsTrouble as trouble:
            told = DnsTrouble(f"{key[0]} {key[1]}: {trouble}")
            self._keep(key, _Held(self._clock() + TROUBLE_SECONDS, told, _OVERHEAD_OCTETS))
            raise told from None
        self._keep(key, _Held(self._clock() + ttl, found, _octets(found)))
        return found

    def exchange(self, query: dns.message.QueryMessage, end: float) -> dns.message.Message:
        """What the first server says that knows. Raises DnsTrouble with what the last one said."""
        order = self._order or system_servers()
        last = ""
        for server in order * ROUNDS:
            left = end - self._clock()
            if left <= 0:
                raise _OutOfTime("no time left for DNS")
            try:
                response = _ask(query, server, min(left, self._timeout))
            except (dns.exception.DNSException, OSError, ValueError) as error:
                last = f"{server[0]} does not answer ({type(error).__name__})"
                continue
            if response.rcode() in (dns.rcode.NOERROR, dns.rcode.NXDOMAIN):
                self._order = (server, *(each for each in order if each != server))
                return response
            last = f"{server[0]} says {dns.rcode.to_text(response.rcode())}"
        self._order = self._ours
        raise DnsTrouble(last)

    def _keep(self, key: _Key, held: _Held) -> None:
        """Remember; what was learnt first is forgotten first."""
        with self._lock:
            if (old := self._held.pop(key, None)) is not None:
                self._octets -= old.octets
            self._held[key] = held
            self._octets += held.octets
            while self._octets > MAX_HELD_OCTETS:
                self._octets -= self._held.pop(next(iter(self._held))).octets


@dataclass(frozen=True, slots=True)
class _Within:
    resolver: Resolver
    end: float

    def ask(self, name: str, kind: Kind) -> Answer:
        return self.resolver.answer(name, kind, self.end)


@dataclass(frozen=True, slots=True)
class _Remembered:
    resolver: Resolver

    def ask(self, name: str, kind: Kind) -> Answer:
        held = self.resolver.held(name, kind)
        if held is None:
            raise NotRemembered
        return held


class _OutOfTime(DnsTrouble):
    """The asker had no time left."""


def _key(name: str, kind: Kind) -> _Key:
    return name.lower().rstrip("."), kind


def vouches(server: Server, timeout: float) -> bool:
    """Whether a server validates what it says (DNSSEC), told by the one name that always is signed: the root.

    The AD bit asks for it and answers it (RFC 6840 section 5.7). Raises DnsTrouble when it does not answer.
    """
    query = dns.message.make_query(dns.name.root, "NS", use_edns=0, payload=_EDNS_OCTETS)
    query.flags |= dns.flags.AD
    response = Resolver([server], timeout).exchange(query, time.monotonic() + ROUNDS * timeout)
    return bool(response.flags & dns.flags.AD)


def system_servers() -> tuple[Server, ...]:
    """Those of /etc/resolv.conf. Raises DnsTrouble when it names none."""
    try:
        return tuple((str(each), PORT) for each in dns.resolver.Resolver().nameservers)
    except (dns.exception.DNSException, OSError) as error:
        raise DnsTrouble(f"/etc/resolv.conf names no server ({type(error).__name__})") from error


def _wire_name(name: str) -> dns.name.Name | None:
    """The name as DNS has it; None: no name can be so, hence there is none. Backslashes are no escapes."""
    try:
        labels = [label.encode() if label.isascii() else _a_label(label) for label in name.split(".")]
        return dns.name.Name([*labels, b""]) if name else dns.name.root
    except (dns.exception.DNSException, UnicodeError):  # idna's are of these
        return None


def _a_label(label: str) -> bytes:
    return idna.alabel(idna.uts46_remap(label, std3_rules=False))


def _ask(query: dns.message.QueryMessage, server: Server, seconds: float) -> dns.message.Message:
    """One server's answer. Raises dns.exception.Timeout, OSError, ..."""
    host, port = server
    end = time.monotonic() + seconds
    try:
        # What comes from elsewhere or does not fit the question may be forged, and must not end the waiting.
        return dns.query.udp(
            query, host, seconds, port, ignore_unexpected=True, ignore_errors=True, raise_on_truncation=True
        )
    except dns.message.Truncated:
        return dns.query.tcp(query, host, max(end - time.monotonic(), 0.001), port)


def _read(response: dns.message.Message) -> tuple[Answer, float]:
    """The answer, CNAMEs followed, and the seconds for which it is good. Raises DnsTrouble."""
    try:
        chain = response.resolve_chaining()  # type: ignore[attr-defined]  # a query's response is a QueryMessage
    except dns.exception.DNSException as error:
        raise DnsTrouble(f"the answer cannot be followed ({type(error).__name__})") from error
    if chain.answer is not None:
        return Answer(tuple(map(_record, chain.answer))), _bounded(chain.minimum_ttl, LONGEST_SECONDS)
    # RFC 2308 section 5: without a SOA nobody said for how long there is none
    ttl = chain.minimum_ttl if response.authority else 0
    found = NO_SUCH_NAME if response.rcode() == dns.rcode.NXDOMAIN else Answer()
    return found, _bounded(ttl, LONGEST_NEGATIVE_SECONDS)


def _bounded(ttl: int, longest: float) -> float:
    return min(max(ttl, SHORTEST_SECONDS), longest)


def _record(rdata: dns.rdata.Rdata) -> Record:
    match dns.rdatatype.to_text(rdata.rdtype):
        case "A" | "AAAA":
            return str(rdata.address)  # type: ignore[attr-defined]
        case "TXT":
            return b"".join(rdata.strings)  # type: ignore[attr-defined]
        case "MX":
            return rdata.preference, _host(rdata.exchange)  # type: ignore[attr-defined]
        case _:
            return _host(rdata.target)  # type: ignore[attr-defined]


def _host(name: dns.name.Name) -> str:
    return name.to_text(omit_final_dot=True)


def _octets(answer: Answer) -> int:
    return _OVERHEAD_OCTETS + sum(len(each) for each in answer.records if not isinstance(each, tuple))
