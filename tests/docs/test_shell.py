"""The commands that the pages show are run, page by page, as somebody would who follows it."""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from smtpy.directory.resolve import ADDRESS_EXPIRED, ADDRESS_IS_OFF, ADDRESS_RESTS, NO_MAILBOX, NO_SUCH_ADDRESS
from tests.dns import Zone
from tests.docs.following import SHELL, Machine, furnish, machine, script
from tests.docs.pages import PAGES, blocks
from tests.nameserver import Nameserver
from tests.stand import Stand

LANGUAGES = {SHELL, "text", "toml", "yaml", "json"}
INIT = "smtpy init --config smtpy.toml --hostname mx.you.example --postmaster you@elsewhere.example"
A_DOMAIN = """\
smtpy user add you@elsewhere.example
smtpy domain add you.example --owner you@elsewhere.example
smtpy mailbox add you@elsewhere.example --owner you@elsewhere.example
smtpy alias add shop@you.example --to you@elsewhere.example
"""
# After each service's part: that what tests/docs/exports has of it was understood.
TAKEN_OVER = {
    "addy.io": """\
bash take-over.sh you@elsewhere.example <aliases.tsv
smtpy alias list --domain you.example | grep -F 'a@one.example, b@two.example'
smtpy alias show sl@you.example | grep -F 'a shop, open'
smtpy resolve off@you.example | grep -F '550 5.2.1'
if smtpy alias show x@simplelogin.example; then exit 9; fi
""",
    "Forward Email": """\
smtpy resolve addy@you.example | grep -F you@elsewhere.example
if smtpy alias show gone@you.example; then exit 9; fi
""",
    "ImprovMX": """\
smtpy resolve fe@you.example | grep -F 'a@one.example, c@one.example'
smtpy resolve quiet@you.example | grep -F '550 5.2.1'
export IMPROVMX_KEY=k CLOUDFLARE_TOKEN=t ZONE=z
""",
    "Cloudflare Email Routing": "smtpy resolve ix@you.example | grep -F 'a@one.example, d@one.example'",
    "Postfix's virtual files": "smtpy resolve cf@you.example | grep -F e@one.example",
    "3. Look": """\
smtpy resolve shop@you.example | grep -F 'a@one.example, b@two.example'
smtpy resolve anybody@you.example | grep -F f@one.example
""",
}
A_KEY = "smtpy backup --new-key backup-key.txt\n"
A_BACKUP = """\
export SMTPY_BACKUP_RECIPIENTS=$(sed -n 's/.*public key: //p' backup-key.txt)
smtpy backup smtpy-mx.you.example-20261127T030000Z.age
"""
ANOTHER_MACHINE = """\
export SMTPY_CONFIG=$PWD/other/smtpy.toml SMTPY_STATE_DIR=$PWD/other SMTPY_RUN_DIR=$PWD/other
"""
# The pages that begin with a configuration and nothing in it; the others have A_DOMAIN.
FROM_NOTHING = {"docs/ansible.md", "docs/docker.md", "docs/tutorial.md", "docs/migration.md"}
# What has happened between two blocks of a page: commands, by the heading that they go before.
MEANWHILE = {
    "README.md": {
        "What to do next": """\
smtpy mailbox add you@inbox.example --owner you@elsewhere.example
smtpy domain add demo.example --owner you@elsewhere.example
"""
    },
    "docs/dns.md": {
        "The mailboxes behind the aliases": "smtpy mailbox add you@provider.example --owner you@elsewhere.example"
    },
    "docs/docker.md": {
        "Day to day": A_DOMAIN.replace("shop", "first").replace("elsewhere.example", "inbox.example"),
        "Backups": A_KEY + A_BACKUP + ANOTHER_MACHINE,
    },
    "docs/replies.md": {
        f"{reply}": f"{state}\nsmtpy resolve shop@you.example | grep -F '{reply}'"
        for reply, state in {
            NO_SUCH_ADDRESS: "smtpy alias delete shop@you.example",
            ADDRESS_IS_OFF: "smtpy alias off shop@you.example\nsmtpy domain off you.example",
            ADDRESS_RESTS: "smtpy alias set shop@you.example --when-off defer\nsmtpy alias off shop@you.example",
            ADDRESS_EXPIRED: "smtpy alias set shop@you.example --expires 2020-01-01",
            NO_MAILBOX: "smtpy mailbox off you@elsewhere.example",
        }.items()
    },
    "docs/migration.md": TAKEN_OVER,
    "docs/practices.md": {"Secrets": "smtpy key use --now you.example", "Backups": A_KEY + A_BACKUP},
    "docs/backup.md": {"Coming back": A_BACKUP + ANOTHER_MACHINE},
}
# What a page leaves to its reader, or names by a place elsewhere. Nothing here is three weeks old.
INSTEAD = {
    r"--postfix \S+": "--postfix $SMTPY_POSTFIX_DIR",
    "/var/lib/smtpy-demo": ".",
    "/from/": "",
    "retire srs_secrets FINGERPRINT": "retire --now srs_secrets FINGERPRINT",
    "FINGERPRINT": r"$(smtpy secret list | sed -n 's/^srs_secrets *\([0-9a-f]*\) *believed.*/\1/p')",
}


@pytest.fixture(scope="module")
def here(stand: Stand, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    """A machine with a Postfix, whose DNS knows no name."""
    with (
        Nameserver(Zone({})) as nobody,
        machine(tmp_path_factory.mktemp("bin"), f"{nobody.host}:{nobody.port}", stand.etc) as one,
    ):
        yield one


@pytest.fixture(scope="module")
def beginnings(here: Machine, tmp_path_factory: pytest.TempPathFactory) -> dict[bool, Path]:
    """Folders that pages begin with: False a configuration, True A_DOMAIN in it, too."""
    made = {False: tmp_path_factory.mktemp("nothing"), True: tmp_path_factory.mktemp("some") / "domain"}
    for with_domain, commands in ((False, INIT), (True, A_DOMAIN)):
        if with_domain:
            shutil.copytree(made[False], made[True])
        written = tmp_path_factory.mktemp("script") / "beginning"
        written.write_text(commands, "utf-8")
        done = here.run(written, made[with_domain])
        assert done.returncode == 0, done.stderr
    return made


@pytest.mark.parametrize("page", [page for page in PAGES if any(block.language == SHELL for block in blocks(page))])
def test_what_a_page_shows_can_be_done(page: str, here: Machine, beginnings: dict[bool, Path], tmp_path: Path) -> None:
    folder = tmp_path / "here"
    shutil.copytree(beginnings[page not in FROM_NOTHING], folder)
    furnish(folder)
    commands = tmp_path / page.replace("/", "-")
    text = script(page, MEANWHILE.get(page, {}))
    for words, instead in INSTEAD.items():
        text = re.sub(words, lambda _, instead=instead: instead, text)
    commands.write_text(text, "utf-8")
    done = here.run(commands, folder)
    assert done.returncode == 0, done.stderr


def test_every_block_says_its_language() -> None:
    wrong = [(each.page, each.line) for page in PAGES for each in blocks(page) if each.language not in LANGUAGES]
    assert wrong == []


@pytest.mark.parametrize(
    "command", ["nmap localhost", "smtpy alias ad x@you.example", "ssh host smtpy log --no", "false"]
)
def test_what_cannot_be_done_is_told_by_page_and_line(command: str, here: Machine, tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"# A page\n\n```sh\ntrue\n{command}\n```\n", "utf-8")
    (tmp_path / "page").write_text(script(str(page), {}), "utf-8")
    done = here.run(tmp_path / "page", tmp_path)
    assert done.returncode != 0
    assert f"{tmp_path}/page:5: ended with " in done.stderr
