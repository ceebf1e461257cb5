"""Who writes: a domain with DMARC p=reject, whose host may send and whose mail is signed by others' software."""

import base64
from itertools import count

import dkim
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from tests.dialog import Answer
from tests.judges.internet import Host
from tests.judges.names import Names, txt

SIGNED = [b"from", b"to", b"subject", b"date", b"message-id", b"mime-version", b"content-type"]
SIGNED += [b"content-transfer-encoding", b"reply-to", b"cc"]
MARKS = count(1)


class Key:
    """An RSA and an Ed25519 key, and the records for them."""

    def __init__(self) -> None:
        self._rsa = rsa.generate_private_key(65537, 2048)
        self._ed25519 = ed25519.Ed25519PrivateKey.generate()
        self.pem = self._rsa.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
        self.seed = base64.b64encode(self._ed25519.private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption()))

    def records(self, domain: str) -> tuple[str, str]:
        """To be published, for the selectors `rsa` and `ed25519`."""
        spki = self._rsa.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        raw = self._ed25519.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        return (
            txt(f"rsa._domainkey.{domain}", f"v=DKIM1; k=rsa; p={base64.b64encode(spki).decode()}"),
            txt(f"ed25519._domainkey.{domain}", f"v=DKIM1; k=ed25519; p={base64.b64encode(raw).decode()}"),
        )


def sealed(data: bytes, key: bytes, domain: str, results: str) -> bytes:
    """The message sealed by dkimpy, selector `rsa`, as the next of its chain; `results` without an authserv-id."""
    data = f"Authentication-Results: mx.{domain}; {results}\r\n".encode() + data
    fields = dkim.arc_sign(data, b"rsa", domain.encode(), key, f"mx.{domain}".encode())
    assert fields, "dkimpy has not sealed"
    return b"".join(fields) + data


class Sender:
    """alice@`domain` on a host that SPF allows; another host sends for those who only say that they are she."""

    def __init__(self, host: Host, thief: Host, domain: str, names: Names) -> None:
        self.host, self.thief, self.domain = host, thief, domain
        self.address = f"alice@{domain}"
        self.key = Key()
        names.host(host, f"mx.{domain}")
        names.host(thief, "mx.thief.example")
        names.publish(
            *self.key.records(domain),
            txt(domain, f"v=spf1 ip4:{host.address} -all"),
            txt(f"_dmarc.{domain}", "v=DMARC1; p=reject"),
        )

    def letter(self, subject: str = "hello", body: bytes = b"hello\r\n") -> tuple[str, bytes]:
        """A new message and its mark, which is in no other."""
        mark = f"letter-{next(MARKS)}@{self.domain}"
        header = f"From: Alice <{self.address}>\r\nTo: Sales <sales@our.example>\r\nSubject: {subject}\r\n"
        header += f"Message-ID: <{mark}>\r\nDate: Mon, 23 Nov 2026 09:00:00 +0000\r\n"
        return mark, header.encode() + b"\r\n" + body

    def signed(self, data: bytes, *, form: str = "relaxed", domain: str | None = None) -> bytes:
        """The message signed with both keys by dkimpy, simple or relaxed."""
        how = (form.encode(), form.encode())
        name = (domain or self.domain).encode()
        ed25519_field = dkim.sign(
            data, b"ed25519", name, self.key.seed, canonicalize=how, include_headers=SIGNED,
            signature_algorithm=b"ed25519-sha256",
        )  # fmt: skip
        return dkim.sign(data, b"rsa", name, self.key.pem, canonicalize=how, include_headers=SIGNED) + (
            ed25519_field + data
        )

    def send(
        self, recipients: list[str], *messages: bytes, host: Host | None = None, sender: str | None = None
    ) -> list[Answer]:
        """Hand messages to the server of our.example; how each ended."""
        path = self.address if sender is None else sender
        return self.send_all([(path, recipients, each) for each in messages], host)

    def send_all(self, messages: list[tuple[str, list[str], bytes]], host: Host | None = None) -> list[Answer]:
        """Hand over messages, each with its envelope, in one session; how each ended."""
        listed = [[path, recipients, data.decode("latin-1"), "BODY=8BITMIME"] for path, recipients, data in messages]
        hello = "mx.thief.example" if host is self.thief else f"mx.{self.domain}"
        said = (host or self.host).ask("speak", {"server": "mx.our.example", "hello": hello, "messages": listed})
        return [Answer(*each) for each in said]
