"""Pages that the code has. tests/cli/test_manual.py compares that of settings, tests/metrics/test_pages.py metrics."""

from docs.reference import HERE, commands


def test_the_page_of_commands_is_what_they_say() -> None:
    assert (HERE / "commands.md").read_text("utf-8") == commands(), "run `make reference`"
