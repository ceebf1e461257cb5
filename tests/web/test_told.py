"""What the core says is said again in the reader's language: every sentence of it, and those made of several."""

import ast

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from smtpy.zone.look import ELSEWHERE
from web import texts
from web.i18n import catalogue
from web.sentences import CORE, _text, parts_of, sentences
from web.told import MOST, Phrasebook, phrasebook

LANGUAGES = [path.stem for path in texts.FOLDER.glob("*.po")]
SAID = sorted({text for _, _, text in sentences()})


@pytest.fixture(scope="module")
def german() -> Phrasebook:
    return phrasebook("de")


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_sentence_is_found_again(language: str) -> None:
    """And none is taken for another."""
    book, read = phrasebook(language), catalogue(language)
    wrong = {}
    for text in SAID:
        values = {name: f"x{place}.example" for place, name in enumerate(parts_of(text)[1])}
        message = read.get(text, CORE)
        assert message is not None, text
        expected = str(message.string) % values
        if (found := book.told(text % values)) != expected:
            wrong[text] = found
    assert not wrong


SAYINGS = {
    "a@b.example is there already. Choose another address.": (
        "a@b.example gibt es schon. Bitte eine andere Adresse wählen."
    ),
    "The note has at most 500 characters. Shorten it.": "Notiz: Höchstens 500 Zeichen sind möglich. Bitte kürzen.",
    "a@b.example still owns a mailbox. Delete what they own first, or switch the user off.": (
        "Zu a@b.example gehört noch: Postfach. Bitte erst alles löschen oder das Konto nur ausschalten."
    ),
    "x y@z.example is no address: before the @ is a blank, a dot or another character where it may be "
    "only within quotes.": (
        "x y@z.example ist keine Adresse: vor dem @ steht ein Leerzeichen, ein Punkt oder ein anderes "
        "Zeichen, wo es nur in Anführungszeichen stehen darf."
    ),
    "alias is switched off": "ausgeschaltet: Alias",
    "refuse: DMARC fails; a.example asks to reject": (
        "abgelehnt: DMARC ist gescheitert; a.example wünscht dann Ablehnung"
    ),
    "forward -> a@b.example, c@d.example: exact alias": (
        "weitergeleitet -> a@b.example, c@d.example: genau dieser Alias"
    ),
    "forward: exact alias; split: rule 3 (hold); tagged": (
        "weitergeleitet: genau dieser Alias; aufgeteilt: Regel 3 (hold); gekennzeichnet"
    ),
    "r1._domainkey.x.example (rsa-sha256), no ARC": "r1._domainkey.x.example (rsa-sha256), kein ARC",
    "shop.example: mx missing, spf wrong": "shop.example: mx fehlt, spf falsch",
    "replies can pass by SPF and DKIM": "Antworten kommen durch mit SPF und DKIM",
    "from this host, 812 octets": "von diesem Host, 812 Bytes",
    "It does not let our server 192.0.2.1 send. Change it to: v=spf1 mx -all": (
        "Er lässt unseren Server 192.0.2.1 nicht senden. Bitte ändern in: v=spf1 mx -all"
    ),
    "no, a signature of b.example would vouch for its author, ARC": (
        "nein, eine Signatur von b.example würde für ihren Verfasser bürgen, ARC"
    ),
    "key r1 and e1 of a.example wait to be seen in DNS since 2026-01-31 12:00": (
        "Schlüssel r1 und e1 von a.example warten seit 2026-01-31 12:00 darauf, im DNS gesehen zu werden"
    ),
    "somebody we know says that all is well": "somebody we know says that all is well",
    "queue id 550 5.1.1 No such user here": "queue id 550 5.1.1 No such user here",
    "": "",
}


@pytest.mark.parametrize(("text", "expected"), SAYINGS.items(), ids=SAYINGS)
def test_values_and_parts_are_told_too(german: Phrasebook, text: str, expected: str) -> None:
    assert german.told(text) == expected


def test_sentences_in_a_row_are_told_each(german: Phrasebook) -> None:
    add = "Add a TXT record named _dmarc.x.example with the value: v=DMARC1; p=none"
    told = german.told(f"{ELSEWHERE} {add}")
    assert told.startswith("Dort antworten andere TXT-Einträge")
    assert "gebraucht. Bitte einen TXT-Eintrag" in told
    assert told.endswith("mit dem Wert: v=DMARC1; p=none")
    told = german.told(f"It is another key than ours: replace it. {add}")
    assert told.startswith("Es ist ein anderer Schlüssel als unserer: Bitte ersetzen. Bitte einen TXT-Eintrag")


def test_what_others_wrote_stays_as_it_is(german: Phrasebook) -> None:
    assert german.told("rule 7 (hold|drop)") == "Regel 7 (hold|drop)"
    assert german.told("note is no address: address has no @.") == "note ist keine Adresse: es fehlt das @."


SCRAPS = (
    " says ",
    " of ",
    "key ",
    "from ",
    "no, ",
    ": ",
    "; ",
    ", ",
    ". ",
    " and ",
    "The ",
    "rule ",
    " (",
    ")",
    "x",
    "-> ",
)


@given(st.lists(st.sampled_from(SCRAPS), max_size=200).map("".join))
@example("; : , . is no address: " * 100)
@example(" says " * 400)
@example("no, " * 500)
@example("a says b of c says d; " * 90)
@settings(max_examples=50, deadline=2_000)
def test_long_and_wicked_words_take_no_time(text: str) -> None:
    phrasebook("de").told(text[:MOST])


def test_a_sentence_is_read_from_the_source_as_it_is_said() -> None:
    def read(source: str) -> str:
        node = ast.parse(source, mode="eval").body
        assert isinstance(node, ast.Constant | ast.JoinedStr)
        return _text(node)

    assert read('f"{row.name} and {other.name}: 5 % of {len(found)}, {MOST}"') == (
        "%(name)s and %(name2)s: 5 %% of %(found)s, %(most)s"
    )
    assert read('"no message {id}"') == "no message %(id)s"
    assert read("""f"{', '.join(names)} {_first(words[0])} {at:%H:%M} {a or 'b c'}" """) == (
        "%(names)s %(words)s %(at)s %(a)s"
    )


def test_sentences_of_the_core_are_found_where_they_are_said() -> None:
    said = set(SAID)
    assert "%(found)s is there already. Choose another address." in said  # a refusal
    assert "DMARC fails; %(author)s asks to %(policy)s" in said  # a reason
    assert "anybody can read %(path)s" in said  # a finding of the doctor
    assert "It is another key than ours: replace it." in said  # of a check of DNS
    assert "No message %(id)s is on hold." in said  # of the queue helper
    assert not [text for text in said if "SELECT" in text or "%%s" in text]
