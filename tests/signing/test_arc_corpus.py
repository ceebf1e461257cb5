"""The ValiMail suite: every chain judged, every set made again to the octet."""

import json
import re
from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from smtpy.signing import arc
from smtpy.signing.key import Signer
from smtpy.signing.making import Covered, names_list
from smtpy.signing.result import Result
from tests.corpora import corpus
from tests.dns import Zone
from tests.signing.letters import Letter

EXPECTED = {"None": {Result.NONE}, "Pass": {Result.PASS}, "Fail": {Result.FAIL}, "": {Result.FAIL, Result.NONE}}


def scenarios(name):
    return json.loads((corpus("arc") / name).read_text())


def zone(scenario) -> Zone:
    return Zone({name: {"TXT": [text]} for name, text in scenario["txt-records"].items()})


def test_every_chain_is_judged_as_the_suite_has_it():
    wrong = {}
    for scenario in scenarios("arc-validation.json"):
        for name, case in scenario["tests"].items():
            found = Letter(case["message"].encode()).validate(zone(scenario))
            if found.result not in EXPECTED[case["cv"]]:
                wrong[name] = (case["cv"], found)
    assert wrong == {}


def tags(value: str) -> set[str]:
    return {re.sub(r"\s", "", part) for part in value.split(";") if part.strip()}


@pytest.mark.parametrize("which", ["message_signature", "seal"])
def test_every_set_is_made_as_the_suite_has_it(which):
    wrong = {}
    for scenario in scenarios("arc-sign.json"):
        key = load_pem_private_key(scenario["privatekey"].encode(), None)
        signer = Signer(scenario["domain"], scenario["sel"], "rsa-sha256", key)
        for name, case in scenario["tests"].items():
            letter = Letter(case["message"].encode())
            now = datetime.fromtimestamp(case["t"], UTC)
            results = next(letter.header.fields[i].value for i in letter.header.positions(b"authentication-results"))
            validated = letter.validate(zone(scenario))
            made = dict(arc.seal(letter.header, letter.digest, validated, signer, results.decode().strip(), now))
            if not case["AS"]:
                if made:
                    wrong[name] = made
                continue
            names = tuple(case["sig-headers"].encode().split(b":"))
            instance = validated.sets + 1
            covers = Covered(names_list(names), letter.header.chosen(names, relaxed=True))
            ams = arc.message_signature(covers, letter.digest, signer, instance, now)
            if tags(ams) != tags(case["AMS"]) or tags(made["ARC-Authentication-Results"]) != tags(case["AAR"]):
                wrong[name] = (ams, case["AMS"], made["ARC-Authentication-Results"], case["AAR"])
    assert wrong == {}
