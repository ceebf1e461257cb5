"""Commands within the sentences of the pages, and settings in their examples: each exists, and so does each option."""

import json
import re
import tomllib
from collections.abc import Iterator
from itertools import product

import click
import pytest
import yaml

from smtpy.cli import main
from smtpy.config.schema import Settings
from tests.docs.pages import PAGES, blocks, spans

TODAY = tuple(page for page in PAGES if page != "CHANGELOG.md")  # which tells of what is no more, too
OTHERS = {"|", ">", "&&", ";"}  # what follows is another program's
PLACEHOLDER = re.compile(r"[A-Z]+|…|\[.*|.*\]|\.\.\.")


def commands(page: str) -> Iterator[list[str]]:
    """The words after `smtpy`, `a|b` as two commands."""
    for span in spans(page):
        if span.removeprefix(".venv/bin/").startswith("smtpy "):
            words = span.split()[1:]
            ends = [number for number, word in enumerate(words) if word in OTHERS]
            yield from map(
                list, product(*(re.split(r"(?<=[a-z])\|(?=[a-z])", word) for word in words[: min(ends, default=None)]))
            )


def wrong(words: list[str]) -> str | None:
    """What is wrong with a command, if anything."""
    context = click.Context(main, info_name="smtpy", **main.context_settings)
    known = {"-h", "--help", *_options(main)}
    for word in words:
        name = word.partition("=")[0]
        if word.startswith("-") and name not in known:
            return f"{context.command_path} has no option {name}"
        if isinstance(context.command, click.Group) and not word.startswith("-") and not PLACEHOLDER.fullmatch(word):
            command = context.command.get_command(context, word)
            if command is None:
                return f"{context.command_path} has no command {word}"
            context = click.Context(command, info_name=word, parent=context)
            known |= set(_options(command))
    return None


def _options(command: click.Command) -> Iterator[str]:
    for each in command.params:
        if isinstance(each, click.Option):
            yield from (*each.opts, *each.secondary_opts)


@pytest.mark.parametrize("page", TODAY)
def test_commands_within_sentences_exist(page: str) -> None:
    assert [found for words in commands(page) if (found := wrong(words))] == []


def test_one_that_does_not_exist_is_found() -> None:
    assert wrong(["alias", "ad", "x@you.example"]) == "smtpy alias has no command ad"
    assert wrong(["alias", "add", "--too", "x@you.example"]) == "smtpy alias add has no option --too"
    assert sum(len(list(commands(page))) for page in TODAY) > 100


def test_settings_in_examples_exist() -> None:
    """Values are their readers' (`age1...`)."""
    examples = [block for page in TODAY for block in blocks(page) if block.language in ("toml", "yaml", "json")]
    given: set[str] = set()
    for each in examples:
        match each.language:
            case "toml":
                given |= {key.removesuffix("_file") for key in tomllib.loads(each.text)}
            case "yaml":
                given |= set(yaml.safe_load(each.text).get("smtpy_settings", {}))
            case _:
                json.loads(each.text)
    assert {"backup_dir", "dns_servers", "web_origin"} <= given
    assert given - set(Settings.model_fields) == set()
