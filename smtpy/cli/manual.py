"""The manual pages as roff, made of the commands themselves and of the settings: always those of this version.

smtpy(1), one for each command with its subcommands, such as smtpy-alias(1), and smtpy.toml(5). Not by click-man, which
was tried: it does not see commands that are loaded when they are used, escapes nothing, dates each page anew, and knows
neither exit codes nor settings.
"""

from collections.abc import Iterator
from importlib.metadata import version

import click

from smtpy.cli import COMMANDS, main, roff
from smtpy.config import reference

ROOT, SETTINGS = "smtpy", "smtpy.toml"
EXITS = (
    ("0", "All is well."),
    ("1", "A check found something: records that are missing, or of `smtpy doctor` nothing worse than warnings."),
    ("64", "The command is not used rightly."),
    ("65", "What was given is refused: no address, say."),
    ("67", "There is nothing, or nobody, of that name."),
    ("69", "A service or Postfix is not there; or something else still stands on what was to go."),
    ("73", "It is there already; or a file cannot be written."),
    ("75", "Not now: the database or DNS does not answer. Try again."),
    ("77", "This user may not do that."),
    ("78", "The settings, or what the database holds, must be put right first."),
    ("130", "Ctrl-C."),
)
ENVIRONMENT = (
    ("SMTPY_CONFIG", "The configuration file."),
    ("SMTPY_KEY", "The setting of that key, in capitals."),
    ("SMTPY_KEY_FILE", "A file that holds it."),
)
FILES = (("/etc/smtpy/smtpy.toml", "The configuration file, if no other is named."),)

Lines = Iterator[str]


def names() -> Iterator[tuple[str, int]]:
    """Name and section of each page."""
    yield ROOT, 1
    yield from ((f"{ROOT}-{name}", 1) for name in COMMANDS)
    yield SETTINGS, 5


def page(name: str) -> str:
    """The source of the page of this name. Raises KeyError."""
    context = click.Context(main, info_name=ROOT, **main.context_settings)  # -h, too
    if name == ROOT:
        lines = _of_root(context)
    elif name == SETTINGS:
        lines = _of_settings()
    else:
        lines = _of_command(context, name.removeprefix(f"{ROOT}-"))
    return "\n".join(lines) + "\n"


def _of_root(context: click.Context) -> Lines:
    yield from _head(ROOT, 1, main.help or "")
    yield from roff.section("SYNOPSIS", [_synopsis(context)])
    yield from roff.section("DESCRIPTION", roff.paragraphs(f"{main.help}\n\nEach command has a page of its own."))
    yield from roff.section("OPTIONS", _options(context))
    yield from roff.section(
        "COMMANDS", roff.terms((f"smtpy-{name}(1)", words) for name, (_, words) in COMMANDS.items())
    )
    yield from roff.section("EXIT STATUS", roff.terms(EXITS))
    yield from roff.section("ENVIRONMENT", roff.terms(ENVIRONMENT))
    yield from roff.section("FILES", roff.terms(FILES))
    yield from roff.section("SEE ALSO", [roff.see([(SETTINGS, 5), ("postfix", 1), ("sysexits", 3)])])


def _of_command(root: click.Context, name: str) -> Lines:
    command = main.get_command(root, name)
    if command is None:
        raise KeyError(name)
    context = click.Context(command, info_name=name, parent=root)
    yield from _head(f"{ROOT}-{name}", 1, COMMANDS[name][1])
    yield from roff.section("SYNOPSIS", [_synopsis(context)])
    yield from roff.section("DESCRIPTION", roff.paragraphs(_help(command)))
    yield from roff.section("OPTIONS", _options(context))
    yield from roff.section("COMMANDS", _subcommands(context))
    yield from roff.section("SEE ALSO", [roff.see([(ROOT, 1), (SETTINGS, 5)])])


def _subcommands(context: click.Context) -> Lines:
    """Each with all that a page would say of it."""
    for name, command in sorted(getattr(context.command, "commands", {}).items()):
        inner = click.Context(command, info_name=name, parent=context)
        yield roff.subsection(f"{inner.command_path} {' '.join(command.collect_usage_pieces(inner))}")
        yield from roff.paragraphs(_help(command))
        yield from _options(inner)


def _of_settings() -> Lines:
    yield from _head(SETTINGS, 5, "The settings of SMTPy.")
    yield from roff.section("SYNOPSIS", [roff.escape("/etc/smtpy/smtpy.toml")])
    yield from roff.section("DESCRIPTION", roff.paragraphs(reference.ABOUT))
    yield from roff.section("SETTINGS", roff.terms(map(_setting, reference.entries())))
    yield from roff.section("SEE ALSO", [roff.see([("smtpy-config", 1), ("smtpy-init", 1), (ROOT, 1)])])


def _setting(entry: reference.Entry) -> tuple[str, str]:
    default = f"default: `{entry.default}`" if entry.has_value else entry.default
    return entry.key, f"{entry.meaning} ({entry.kind}; {default}; `{entry.variable}`)"


def _head(name: str, number: int, what: str) -> Lines:
    yield from roff.title(name, number, version("smtpy"))
    yield from roff.section("NAME", [f"{roff.escape(name)} \\- {roff.escape(what.rstrip('.'))}"])


def _synopsis(context: click.Context) -> str:
    pieces = " ".join(context.command.collect_usage_pieces(context))
    return f"\\fB{roff.escape(context.command_path)}\\fR {roff.escape(pieces)}"


def _help(command: click.Command) -> str:
    return (command.help or "").replace("\b\n", "")


def _options(context: click.Context) -> Lines:
    """All but --help, which every command has: smtpy(1) tells of it."""
    options = [each for each in context.command.get_params(context) if isinstance(each, click.Option)]
    if context.parent is not None:
        options = [each for each in options if "--help" not in each.opts]
    yield from roff.terms(record for each in options if (record := each.get_help_record(context)))
