"""Who a message is from, asked at real Postfix's end of message: what is refused, held, tagged, rewritten and sealed.

DNS is the stand's; every test has an author's domain of its own, because answers are remembered for a while. The client
is on loopback, of which SPF says nothing, so DKIM alone speaks for an author here; tests/judges has SPF.
"""

import json
import os
import re
import subprocess
from datetime import UTC, datetime

import pytest

from smtpy.authn.authenticate import read_claims
from smtpy.mail.message import parts
from smtpy.signing import arc, dkim
from smtpy.signing.body import OURS, BodyHashes
from smtpy.signing.header import Header
from smtpy.signing.key import generate, load, public_of, record_of
from smtpy.signing.result import Result
from tests.inbox import Delivery
from tests.nameserver import silence
from tests.stand import ROOT, Stand, StandFactory
from tests.waiting import until

KEY = generate("rsa-sha256")
RECORD = record_of("rsa-sha256", public_of(KEY))


@pytest.fixture(scope="module")
def signing(stand: Stand) -> Stand:
    """The session's stand, with an alias on each of two domains that sign."""
    for domain in ("east.example", "west.example"):
        stand.declare(f"sales@{domain}", "reader@inbox.example")
        for key in json.loads(stand.cli("key", "list", domain, "--json").stdout):
            stand.zone.names[f"{key['selector']}._domainkey.{domain}"] = {"TXT": [key["record"]]}
        used = stand.cli("key", "use", domain, "--now")
        assert used.returncode == os.EX_OK, used.stderr
    until(lambda: _is_signed(stand), "mail is signed")
    return stand


def _is_signed(stand: Stand) -> bool:
    return b"DKIM-Signature: " in _sent(stand, "probe.example", "sales@east.example")[0].header


def author(stand: Stand, domain: str, policy: str = "reject", *, key: list[str] | str = [RECORD]) -> None:  # noqa: B006
    """An author's domain in DNS."""
    stand.zone.names |= {
        domain: {"A": ["192.0.2.1"]},
        f"_dmarc.{domain}": {"TXT": [f"v=DMARC1; p={policy}"]},
        f"s._domainkey.{domain}": {"TXT": key},
    }


def message(domain: str, *, signed: bool = False, extra: bytes = b"") -> bytes:
    data = b"From: Alice <alice@" + domain.encode() + b">\r\n" + extra + b"Subject: hello\r\n\r\nhello\r\n"
    if not signed:
        return data
    fields, body = parts(data)
    hashes = BodyHashes((OURS,))
    hashes.update(body)
    signer = load(KEY, "rsa-sha256", domain, "s")
    value = dkim.sign(Header(fields), hashes.finish()[OURS], signer, datetime.now(UTC))
    return b"DKIM-Signature: " + value.replace("\n", "\r\n").encode() + b"\r\n" + data


def _sent(stand: Stand, domain: str, *recipients: str, data: bytes | None = None) -> list[Delivery]:
    """The copies of a message that was taken."""
    before = len(stand.inbox.deliveries)
    answers = stand.send(f"alice@{domain}", list(recipients), data or message(domain))
    assert answers.accepted, answers

    def copies(all_: list[Delivery]) -> list[Delivery] | None:
        mine = [each for each in all_[before:] if domain in each.reverse_path]
        return mine if len(mine) >= len(recipients) else None

    return stand.inbox.wait_until(copies)


def field(delivery: Delivery, name: str) -> str:
    """The first field of that name, unfolded."""
    found = re.search(rf"(?im)^{name}:([^\r\n]*(?:\r\n[ \t][^\r\n]*)*)", delivery.header.decode())
    assert found, (name, delivery.header)
    return re.sub(r"\s+", " ", found[1]).strip()


def verdicts(stand: Stand, delivery: Delivery) -> dict[str, object]:
    """What a verifier says of it with the stand's DNS."""
    fields, body = parts(delivery.data)
    claims = read_claims(fields)
    hashes = BodyHashes(claims.specs)
    hashes.update(body)
    digests, now = hashes.finish(), datetime.now(UTC)
    signatures = dkim.verify(claims.header, claims.signatures, digests, stand.zone, now)
    chain = arc.validate(claims.header, claims.chain, digests, stand.zone, now)
    return {"dkim": {each.domain: each.result for each in signatures}, "arc": chain.result, "sealers": chain.sealers}


def journal(stand: Stand, domain: str, recipient: str, decision: str) -> dict[str, object]:
    """The row of a message from alice@domain, which is written a moment after the message is taken."""

    def row() -> dict[str, object] | None:
        rows = json.loads(stand.cli("log", recipient, "--json").stdout)
        wanted = (f"alice@{domain}", decision)
        return next((row for row in rows if (row["reverse_path"], row["recipients"][0]["decision"]) == wanted), None)

    found: dict[str, object] = until(row, f"the journal's row: {decision}")
    return found


def test_a_signed_message_passes_and_all_signatures_hold(signing: Stand) -> None:
    author(signing, "signed.example")
    data = message("signed.example", signed=True, extra=b"Authentication-Results: mx.our.example; dmarc=fail\r\n")
    (copy,) = _sent(signing, "signed.example", "sales@east.example", data=data)
    assert verdicts(signing, copy) == {
        "dkim": {"east.example": Result.PASS, "signed.example": Result.PASS},
        "arc": Result.PASS,
        "sealers": ("east.example",),
    }
    assert field(copy, "From") == "Alice <alice@signed.example>"
    results = field(copy, "Authentication-Results")
    assert results.startswith("mx.our.example;")
    assert "dmarc=pass" in results
    assert copy.header.count(b"\r\nAuthentication-Results:") + copy.header.startswith(b"Authentication-Results:") == 1
    row = journal(signing, "signed.example", "sales@east.example", "forward")
    assert (row["dkim"], row["dmarc"], row["arc"]) == ("pass", "pass", "none")
    assert str(row["signed"]).endswith(", ARC")


def test_two_domains_seal_each_its_own_copy(signing: Stand) -> None:
    author(signing, "both.example")
    data = message("both.example", signed=True)
    copies = _sent(signing, "both.example", "sales@east.example", "sales@west.example", data=data)
    found = [verdicts(signing, each) for each in copies]
    assert {each["sealers"] for each in found} == {("east.example",), ("west.example",)}
    for each in found:
        assert each["arc"] is Result.PASS
        assert set(each["dkim"].values()) == {Result.PASS}  # type: ignore[attr-defined]
        assert b"SMTPy-Split" not in copies[0].header + copies[1].header


def test_what_the_author_disowns_is_refused_in_the_session(signing: Stand) -> None:
    author(signing, "forged.example")
    answers = signing.send("eve@elsewhere.example", ["sales@east.example"], message("forged.example"))
    assert answers.data is not None
    assert str(answers.data).startswith("550 5.7.26 ")


def test_an_owner_has_it_held_and_finds_it_in_the_journal(signing: Stand) -> None:
    author(signing, "suspect.example")
    signing.declare("calm@hold.example", "reader@inbox.example")
    assert signing.cli("domain", "set", "hold.example", "--on-reject", "hold").returncode == os.EX_OK

    def held() -> bool:
        answers = signing.send("alice@suspect.example", ["calm@hold.example"], message("suspect.example"))
        return answers.accepted

    until(held, "the choice is known")
    row = journal(signing, "suspect.example", "calm@hold.example", "hold")
    queued = {each["queue_id"]: each["queue_name"] for each in signing.queue()}
    assert queued[row["queue_id"]] == "hold"
    signing.release(str(row["queue_id"]))
    copy = signing.inbox.wait_until(lambda all_: [each for each in all_ if "suspect.example" in each.reverse_path])[-1]
    assert field(copy, "SMTPy-Warning") == "DMARC fails; suspect.example asks to reject"
    assert field(copy, "From") == '"Alice via calm@hold.example" <calm@hold.example>'
    assert field(copy, "Reply-To") == "alice@suspect.example"


def test_quarantine_is_a_tag(signing: Stand) -> None:
    author(signing, "doubtful.example", "quarantine")
    (copy,) = _sent(signing, "doubtful.example", "sales@east.example")
    assert field(copy, "SMTPy-Warning") == "DMARC fails; doubtful.example asks to quarantine"
    assert verdicts(signing, copy)["dkim"] == {"east.example": Result.PASS}


def test_dns_trouble_refuses_nothing_and_leaves_from_alone(signing: Stand) -> None:
    author(signing, "away.example", key="TIMEOUT")
    (copy,) = _sent(signing, "away.example", "sales@east.example", data=message("away.example", signed=True))
    results = field(copy, "Authentication-Results")
    assert "dkim=temperror" in results
    assert "dmarc=temperror" in results
    assert field(copy, "From") == "Alice <alice@away.example>"


def test_two_authors_are_refused(signing: Stand) -> None:
    data = message("one.example", extra=b"From: ceo@bank.example\r\n")
    answers = signing.send("alice@one.example", ["sales@east.example"], data)
    assert str(answers.data).startswith("554 5.6.0 ")


def test_without_its_encryption_key_mail_goes_on_unsigned(own_stand: StandFactory) -> None:
    stand = own_stand()
    stand.declare("sales@lost.example", "reader@inbox.example")
    assert stand.cli("key", "use", "lost.example", "--now").returncode == os.EX_OK
    stand.stop("milter")
    (stand.folder / "secrets" / "encryption_keys").write_text("another" * 5 + "\n")
    stand.start("milter")
    (copy,) = _sent(stand, "plain.example", "sales@lost.example")
    assert b"DKIM-Signature" not in copy.header
    assert "no encryption key opens" in stand.log("milter")
    assert "cannot be opened" in str(journal(stand, "plain.example", "sales@lost.example", "forward")["signed"])


def test_who_is_local_is_not_asked_about_and_who_is_unknown_is(own_stand: StandFactory) -> None:
    """Postfix tells its own submissions as 127.0.0.1; a client of no address is a stranger behind a proxy."""
    stand = own_stand(
        postfix=("non_smtpd_milters = $smtpd_milters", "smtpd_authorized_xclient_hosts = 127.0.0.2"),
    )
    stand.declare("sales@east.example", "reader@inbox.example")
    author(stand, "bank.example")
    command = [*ROOT, "/usr/sbin/sendmail", "-C", str(stand.etc), "-f", "anna@bank.example", "sales@east.example"]
    subprocess.run(command, input=message("bank.example").replace(b"\r\n", b"\n"), check=True, timeout=30)
    copy = stand.inbox.wait_for(lambda each: "bank.example" in each.reverse_path)
    assert b"Authentication-Results" not in copy.header
    with stand.dialog(client="127.0.0.2") as dialog:
        dialog.hello()
        dialog.command("XCLIENT ADDR=[UNAVAILABLE]")
        dialog.command("EHLO stranger.example")
        answers = dialog.transaction("anna@bank.example", ["sales@east.example"], message("bank.example"))
    assert str(answers.data).startswith("550 5.7.26 ")


def test_a_dns_that_never_answers_costs_no_mail(own_stand: StandFactory) -> None:
    with silence() as (host, port):
        stand = own_stand(
            settings={"SMTPY_DNS_SERVERS": f"{host}:{port}", "SMTPY_AUTHENTICATION_SECONDS": "1"},
        )
        stand.declare("sales@deaf.example", "reader@inbox.example")
        (copy,) = _sent(stand, "unheard.example", "sales@deaf.example", data=message("unheard.example", signed=True))
    assert "dmarc=temperror" in field(copy, "Authentication-Results")
