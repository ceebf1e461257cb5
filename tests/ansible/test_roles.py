"""ansible/ without a host: it parses, names only what is there, keeps secrets in the vault, and its units are whole.

The whole of it on a booted Debian is `make ansible-test`.
"""

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from jinja2 import StrictUndefined, Template

from smtpy.config import SECRETS, Settings

ANSIBLE = Path(__file__).resolve().parents[2] / "ansible"
ROLES = sorted(path.name for path in (ANSIBLE / "roles").iterdir())
PLAYBOOKS = sorted(path.name for path in ANSIBLE.glob("*.yml"))
UNITS = ANSIBLE / "roles/smtpy/files/units"
POSTFIX_UNIT = ANSIBLE / "roles/postfix/files/postfix-smtpy.service"
DEFAULTS = {
    key: value
    for role in ROLES
    for key, value in yaml.safe_load((ANSIBLE / "roles" / role / "defaults/main.yml").read_text()).items()
}
NO_MODULES = {  # of a task, beside its module
    *("name", "when", "register", "loop", "loop_control", "notify", "become", "delegate_to", "run_once", "throttle"),
    *("changed_when", "failed_when", "check_mode", "ignore_errors", "no_log", "environment", "block"),
}


def tasks(found: Any) -> Iterator[dict[str, Any]]:
    """Tasks, and those within blocks."""
    for task in found or ():
        yield task
        yield from tasks(task.get("block"))


def all_tasks() -> Iterator[tuple[Path, dict[str, Any]]]:
    for path in sorted(ANSIBLE.glob("roles/*/tasks/*.yml")) + sorted(ANSIBLE.glob("roles/*/handlers/*.yml")):
        yield from ((path, task) for task in tasks(yaml.safe_load(path.read_text())))
    for name in PLAYBOOKS:
        for play in yaml.safe_load((ANSIBLE / name).read_text()):
            for key in ("pre_tasks", "tasks"):
                yield from ((ANSIBLE / name, task) for task in tasks(play.get(key)))


TASKS = list(all_tasks())


def module(task: dict[str, Any]) -> str:
    (name,) = task.keys() - NO_MODULES or {"block"}
    return name


def test_every_yaml_file_parses() -> None:
    files = [*ANSIBLE.rglob("*.yml"), *ANSIBLE.rglob("*.yml.example")]
    assert len(files) > 20
    for path in files:
        yaml.safe_load(path.read_text())


def test_only_modules_of_ansible_itself() -> None:
    assert len(TASKS) > 60
    assert {module(task) for _, task in TASKS if not module(task).startswith("ansible.builtin.")} <= {"block"}


def test_every_task_says_what_it_is_for() -> None:
    assert [path for path, task in TASKS if not re.match(r"[A-Z]", task.get("name", ""))] == []


@pytest.mark.parametrize("name", PLAYBOOKS)
def test_playbooks_name_roles_that_are_there(name: str) -> None:
    for play in yaml.safe_load((ANSIBLE / name).read_text()):
        assert set(play.get("roles", ())) <= set(ROLES)


def test_tasks_name_files_that_are_there() -> None:
    for path, task in TASKS:
        what, arguments = module(task).removeprefix("ansible.builtin."), task[module(task)]
        folder = {"copy": "files", "template": "templates"}.get(what)
        if folder and "src" in arguments:
            assert (path.parents[1] / folder / arguments["src"]).is_file()
        if what in ("import_tasks", "include_tasks"):
            assert (path.parent / arguments).is_file()


def test_what_is_notified_is_there() -> None:
    handlers = {task["name"] for path, task in TASKS if path.parent.name == "handlers"}
    notified = [task["notify"] for _, task in TASKS if "notify" in task]
    assert {name for each in notified for name in ([each] if isinstance(each, str) else each)} == handlers


def test_settings_are_those_of_smtpy() -> None:
    assert DEFAULTS["smtpy_base_settings"].keys() <= Settings.model_fields.keys()
    assert set(SECRETS) < DEFAULTS["smtpy_secrets"].keys() <= Settings.model_fields.keys()
    given = re.findall(r"'(\w+)':", DEFAULTS["backup_settings"] + DEFAULTS["https_settings"])
    assert len(given) == 4
    assert set(given) <= Settings.model_fields.keys()


def test_every_secret_is_among_the_credentials() -> None:
    given = re.findall(r"^LoadCredential=(\w+):/etc/smtpy/\1$", (UNITS / "sandbox.conf").read_text(), re.M)
    assert set(given) == DEFAULTS["smtpy_secrets"].keys()


def test_secrets_are_in_the_vault_and_nowhere_else() -> None:
    names = re.compile(r"^\s*(?!vault_)(\w*(?:password|secret_keys|srs_secrets|encryption_keys))\s*:(.*)$", re.M)
    for path in [*ANSIBLE.rglob("*.yml"), *ANSIBLE.rglob("*.example")]:
        for name, value in names.findall(path.read_text()):
            assert "vault_" in value, f"{path}: {name}"


def test_what_handles_secrets_says_nothing() -> None:
    for path, task in TASKS:
        text = yaml.safe_dump({key: value for key, value in task.items() if key not in ("when", "name")})
        if re.search(r"vault_\w*password|smtpy_secrets \| dict2items|\{\{ tls_chain", text) and "assert" not in text:
            assert task.get("no_log") is True, f"{path}: {task['name']}"


@pytest.mark.parametrize("vault", sorted(ANSIBLE.rglob("vault.yml.example")), ids=lambda path: path.parts[-4])
def test_examples_name_variables_that_are_read(vault: Path) -> None:
    read = "".join(path.read_text() for path in ANSIBLE.glob("roles/**/*.yml"))
    for folder in (vault, vault.parent / "main.yml"):
        for name in yaml.safe_load(folder.read_text()):
            assert name in read, f"{folder}: {name}"


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd-analyze is not here")
def test_units_are_what_systemd_takes(tmp_path: Path) -> None:
    """As installed, but for what they start, which is not here."""
    written = {path.name: path.read_text() for path in (UNITS / "smtpy.target", POSTFIX_UNIT)}
    for name, about in DEFAULTS["smtpy_units"].items():
        written[f"smtpy-{name}.service"] = rendered("unit.service.j2", item={"key": name, "value": about})
    written["smtpy-web.socket"] = rendered("web.socket.j2", **DEFAULTS)
    for name, text in written.items():
        (tmp_path / name).write_text(re.sub(r"(?m)^(Exec\w+=)\S+", r"\1/bin/true", text))
    for folder, name in (("smtpy-", "sandbox"), ("smtpy-queue", "queue"), ("smtpy-web", "web")):
        (tmp_path / f"{folder}.service.d").mkdir()
        shutil.copy(UNITS / f"{name}.conf", tmp_path / f"{folder}.service.d")
    units = sorted(str(tmp_path / name) for name in written)
    environ = {"SYSTEMD_UNIT_PATH": f"{tmp_path}:", "PATH": "/usr/bin:/bin"}
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *units], capture_output=True, text=True, check=False, env=environ
    )
    ours = [line for line in done.stderr.splitlines() if "smtpy" in line]
    assert (done.returncode, ours) == (0, [])


def rendered(template: str, **variables: Any) -> str:
    """A template of role smtpy, as Ansible does it."""
    text = (ANSIBLE / "roles/smtpy/templates" / template).read_text()
    return Template(text, undefined=StrictUndefined).render(**variables)
