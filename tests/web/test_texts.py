"""Every text of the pages is translated, into every language there is a catalogue of."""

from pathlib import Path

import pytest
from babel.messages import Catalog
from babel.messages.pofile import read_po
from flask import Flask
from flask.testing import FlaskClient
from flask_wtf import FlaskForm
from werkzeug.datastructures import MultiDict
from wtforms import IntegerField, SelectMultipleField
from wtforms.validators import InputRequired

from web import navigation, texts
from web.forms import Form

CATALOGUES = sorted(texts.FOLDER.glob("*.po"))


@pytest.fixture(scope="module")
def found() -> Catalog:
    return texts.found()


def test_texts_are_found_in_source_and_templates(found: Catalog) -> None:
    assert found.get("Slow down") is not None  # _() in Python
    assert found.get("Aliases") is not None  # N_() in a table
    assert found.get("E-mail address") is not None  # _l() of a form
    assert found.get("Skip to content") is not None  # {% trans %}
    assert found.get("Copied") is not None  # _() in a template


@pytest.mark.parametrize("path", CATALOGUES, ids=lambda path: path.stem)
def test_every_text_is_translated(path: Path, found: Catalog) -> None:
    with path.open("rb") as file:
        catalogue = read_po(file, locale=path.stem)
    wanting = texts.wanting(catalogue, found)
    assert not wanting, f"{len(wanting)} texts; `make texts` takes them into the catalogue:\n" + "\n".join(wanting)


def test_what_is_wrong_with_a_translation_is_told() -> None:
    asked, answered = Catalog(), Catalog(locale="de")
    for text, string in {
        "Keep %(n)s": "%(m)s behalten",
        "Missing": "",
        ("%(num)s day", "%(num)s days"): ("%(num)s Tag", ""),
        "Fine, %(name)s": "Gut, %(name)s",
    }.items():
        asked.add(text)
        answered.add(text, string)
    answered.add("Doubtful", "Zweifelhaft", flags={"fuzzy"})
    asked.add("Doubtful")
    wanting = texts.wanting(answered, asked)
    assert [line.partition(":")[0] for line in wanting] == [
        *("other placeholders", "without translation", "without translation", "fuzzy"),
    ]


def test_a_stranger_is_spoken_to_as_their_browser_asks(client: FlaskClient) -> None:
    assert 'lang="de"' in client.get("/auth/sign-in", headers={"Accept-Language": "de-AT,de;q=0.9,en;q=0.5"}).text
    assert 'lang="en"' in client.get("/auth/sign-in", headers={"Accept-Language": "xx"}).text


def test_the_names_of_the_ways_are_translated(app: Flask) -> None:
    with app.test_request_context(headers={"Accept-Language": "de"}):
        labels = {item.label for item in navigation._items(navigation.MAIN)}
    assert "Start" in labels


def test_forms_speak_the_readers_language(app: Flask) -> None:
    class Asked(Form):
        number = IntegerField(validators=[InputRequired()])
        several = SelectMultipleField(choices=["one"])

    with app.test_request_context(method="POST", headers={"Accept-Language": "de"}):
        form = Asked(MultiDict({"several": "two"}), meta={"csrf": False})
        form.validate()
        assert form.errors == {
            "number": ["Dieses Feld wird benötigt."],
            "several": ["'two' steht hier nicht zur Wahl."],  # for which WTForms has no German
        }


def test_every_form_is_one_that_does(app: Flask) -> None:
    ours = [each for each in FlaskForm.__subclasses__() if each.__module__.startswith("web.")]
    assert ours == [Form]
