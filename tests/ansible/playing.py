"""Playbooks against hosts, from a clone with an inventory of one's own, as docs/ansible.md has it; what came of it."""

import contextlib
import os
import re
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence

import yaml

from tests.ansible.world import FOLDER, TREE, Host, Otherwise, note

CLONE = FOLDER / "tree"
MINE = CLONE / "ansible/inventories/mine"
RECAP = re.compile(r"^(\S+) +: ok=\d+ +changed=(\d+) +unreachable=0 +failed=0", re.M)

passed: list[str] = []  # what was shown


@contextlib.contextmanager
def step(what: str) -> Iterator[None]:
    """One thing to be shown, with the time it took."""
    note(f"           {what}")
    began = time.monotonic()
    yield
    passed.append(what)
    note(f"ok {time.monotonic() - began:4.0f} s  {what}")


def take(inventory: str, **variables: object) -> None:
    """A clone, and in it a copy of one of its inventories with these variables besides."""
    shutil.rmtree(CLONE, ignore_errors=True)
    subprocess.run(["git", "clone", "-q", TREE, CLONE], check=True)
    shutil.copytree(MINE.parent / inventory, MINE)
    say("mine", **variables)


def say(name: str, **variables: object) -> None:
    """More variables, in a file of that name."""
    (MINE / f"group_vars/all/{name}.yml").write_text(yaml.safe_dump(variables))


def play(playbook: str, *more: str) -> subprocess.CompletedProcess[str]:
    """ansible-playbook, as somebody who has the key."""
    ssh = "-o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o ControlMaster=auto -o ControlPersist=60s"
    environ = {"ANSIBLE_PRIVATE_KEY_FILE": str(FOLDER / "key"), "ANSIBLE_SSH_ARGS": ssh}
    command = ["ansible-playbook", "-i", str(MINE), playbook, *more]
    return subprocess.run(
        command, cwd=CLONE / "ansible", capture_output=True, text=True, check=False, env={**os.environ, **environ}
    )


def changes(hosts: Sequence[Host], right: Callable[[int], bool], playbook: str, *more: str) -> None:
    """A playbook that ends well at these hosts and no others, each with the right number of changes."""
    done = play(playbook, *more)
    found = {name: int(number) for name, number in RECAP.findall(done.stdout)}
    if set(found) != {host.name for host in hosts} or not all(map(right, found.values())):
        raise Otherwise(f"{playbook}: {found}\n{done.stdout}{done.stderr}")
    note(f"           changed: {', '.join(f'{name} {number}' for name, number in found.items())}")


def converges(hosts: Sequence[Host]) -> None:
    """site.yml on bare hosts, and then twice more, with --check first and last."""
    with step("site.yml --check on bare hosts"):
        changes(hosts, lambda number: number > 3, "site.yml", "--check")
    with step("site.yml on bare hosts"):
        changes(hosts, lambda number: number > 5, "site.yml")
    with step("site.yml again changes nothing"):
        changes(hosts, lambda number: number == 0, "site.yml")
    with step("site.yml --check would change nothing"):
        changes(hosts, lambda number: number == 0, "site.yml", "--check", "--diff")


def commit(what: str) -> None:
    """Another release, which has nothing new in it."""
    nobody = ("-c", "user.name=test", "-c", "user.email=test@you.example")
    subprocess.run(["git", "-C", CLONE, *nobody, "commit", "-q", "--allow-empty", "-m", what], check=True)
