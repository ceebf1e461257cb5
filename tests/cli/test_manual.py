"""What the command says of itself: manual pages that the tools of manual pages take, and every setting."""

import os
import re
import subprocess
from pathlib import Path

import pytest

from smtpy.cli import COMMANDS, manual, roff
from smtpy.cli.failures import REFUSALS
from smtpy.config import Settings, reference
from smtpy.doctor.codes import OUTAGES
from tests.cli.conftest import run

PAGES = Path(__file__).parents[2] / "docs"
NO_DATE = 'WARNING: missing date, using "": TH'  # so that the same version makes the same pages


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All pages, as they are installed."""
    made = tmp_path_factory.mktemp("man")
    done = run("man", "--dir", str(made))
    assert done.exit_code == 0, done.output
    return made


def shown(page: str) -> str:
    """A page as people read it, on one line."""
    done = subprocess.run(["mandoc", "-Tutf8"], input=page, capture_output=True, text=True, check=True)
    return " ".join(re.sub(".\b", "", done.stdout).split())  # bold is a letter struck twice


def test_a_page_for_each_command_without_a_complaint(folder: Path) -> None:
    pages = sorted(folder.glob("man*/*"))
    wanted = {"smtpy.1", "smtpy.toml.5", *(f"smtpy-{name}.1" for name in COMMANDS)}
    assert {each.name for each in pages} == wanted
    lint = subprocess.run(["mandoc", "-Tlint", "-Wwarning", *pages], capture_output=True, text=True, check=False)
    assert [line for line in lint.stdout.splitlines() if not line.endswith(NO_DATE)] == []


def test_a_page_tells_of_subcommands_and_options() -> None:
    text = shown(manual.page("smtpy-alias"))
    assert "smtpy-alias - Addresses that stand for mailboxes" in text
    assert "smtpy alias add [OPTIONS] ADDRESS" in text
    assert "--when-off [reject|defer|drop] What senders are told" in text
    assert "--help" not in text
    assert "-h, --help" in shown(manual.page("smtpy"))


def test_the_page_of_settings_has_all_of_them() -> None:
    text = shown(manual.page("smtpy.toml"))
    for key in Settings.model_fields:
        assert f"SMTPY_{key.upper()})" in text
    assert "whole number, 0 to 3650; default: 90; SMTPY_JOURNAL_DAYS" in text
    assert "1. the TOML file: smtpy --config FILE" in text


def test_text_is_no_markup() -> None:
    lines = [*roff.paragraphs(".ds \\n `-x`\n\n'quoted' \"twice\""), *roff.terms([('a "b"', ".c")])]
    page = "\n".join([*roff.title("x", 1, "1"), *roff.section("NAME", ["x \\- y"]), *roff.section("D", lines)])
    assert '.ds \\n -x \'quoted\' "twice" a "b" .c' in shown(page)


def test_one_page_alone() -> None:
    assert run("man").output == manual.page("smtpy")
    assert run("man", "alias").output == run("man", "smtpy-alias").output == manual.page("smtpy-alias")
    assert run("man", "smtpy.toml").output == run("config", "doc", "--format", "man").output
    assert "there is no page of nose" in run("man", "nose").output


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "man1").touch()
    done = run("man", "--dir", str(tmp_path))
    assert (done.exit_code, "cannot write" in done.output) == (73, True)


def test_docs_settings_is_what_the_command_prints() -> None:
    """`smtpy config doc --format markdown >docs/settings.md` writes it anew."""
    assert (PAGES / "settings.md").read_text(encoding="utf-8") == run("config", "doc", "--format", "markdown").output


def test_kinds_and_defaults_in_words() -> None:
    found = {each.key: (each.kind, each.default) for each in reference.entries()}
    assert found["hostname"] == ("host name", reference.REQUIRED)
    assert found["postfix_dir"] == ("absolute path", reference.NONE)
    assert found["web_proxies"] == ("whole number, 0 to 5", "0")
    assert found["message_size_limit"] == ("whole number, 1024 or more", "26214400")
    assert found["own_networks"] == ("list of networks", "127.0.0.1/32 ::1/128")
    assert found["lookup_listen"] == ("list of endpoints", "unix:{run_dir}/lookup.sock")
    assert found["log_format"] == ("`text` or `json`", "text")
    assert found["backup_dir"][0] == "absolute path"
    assert [key for key, (kind, _) in found.items() if kind == "text"] == ["queue_group"]


def test_settings_at_a_terminal() -> None:
    text = run("config", "doc").output
    assert "journal_days  (SMTPY_JOURNAL_DAYS)\n    whole number, 0 to 3650; default: 90\n    Days for which" in text


def test_the_page_has_the_code_of_every_failure() -> None:
    codes = {*REFUSALS.values(), *OUTAGES.values(), os.EX_USAGE, os.EX_UNAVAILABLE}
    assert {str(each) for each in codes} <= {code for code, _ in manual.EXITS}
