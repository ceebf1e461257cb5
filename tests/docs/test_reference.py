"""docs/commands.md is what the commands say; settings and metrics are compared where their tables are tested."""

from docs.commands import PAGE, page


def test_the_page_of_commands_is_what_they_say() -> None:
    assert PAGE.read_text("utf-8") == page(), "run `make reference`"
