"""What the services log of whole dialogs: a line of JSON each, keyed by queue id, and no address in any."""

import json

from tests.mailpath.script import play, scripts
from tests.mailpath.town import SECRET, Town, found
from tests.stand import SERVICES, StandFactory

QUIET = {"SMTPY_LOG_FORMAT": "json", "SMTPY_LOG_ADDRESSES": "none", "SMTPY_LOG_LEVEL": "debug"}


def test_no_line_of_any_dialog_tells_an_address(own_stand: StandFactory) -> None:
    town = Town(own_stand(settings=QUIET))
    found(town.stand)
    for script in scripts():
        play(script, town)
    lines = {name: [json.loads(line) for line in town.stand.log(name).splitlines()] for name in SERVICES}
    for name, told in lines.items():
        assert {line["process"] for line in told} == {name}
        assert [line for line in told if "@" in json.dumps(line, ensure_ascii=False)] == []
        assert [line for line in told if SECRET in json.dumps(line)] == []
    assert {line["asked"] for line in lines["lookup"] if "asked" in line} == {"b'*'"}
    decided = [line for line in lines["milter"] if "plan" in line]
    assert {line["plan"] for line in decided} >= {"accept", "refuse"}
    assert all(line["queue_id"] and line["why"] for line in decided)
    assert {line["to"] for line in lines["policy"] if "to" in line} == {"<*>"}
