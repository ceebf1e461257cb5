"""docker-compose.yml and what it stands on, as far as files tell: nothing forgotten, nothing open that need not be."""

import re
import subprocess
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Any

import pytest
import yaml

from smtpy.config import Settings
from smtpy.config.schema import PREFIX

ROOT = Path(__file__).parents[1]
COMPOSE = ROOT / "docker-compose.yml"
SERVICES: dict[str, dict[str, Any]] = yaml.safe_load(COMPOSE.read_text())["services"]
OURS = {name: each for name, each in SERVICES.items() if each["image"].startswith("smtpy")}
ROOTS = {"postfix", "queue"}  # Postfix's master and its helper
UNASKED = {"init", "worker", "https"}  # one ends, one answers nobody, one is not ours


def test_variables_are_explained() -> None:
    used = set(re.findall(r"\$\{(\w+)", COMPOSE.read_text()))
    told = set(re.findall(r"^(\w+)=", (ROOT / ".env.example").read_text(), re.M))
    assert told <= used
    assert used - told == {
        "SMTPY_NETWORK",
        "POSTGRES_IMAGE",
        "VALKEY_IMAGE",
        "CADDY_IMAGE",
    }  # have defaults


def test_the_readme_explains_them() -> None:
    told = re.findall(r"^(\w+)=", (ROOT / ".env.example").read_text(), re.M)
    readme = (ROOT / "README.md").read_text()
    assert [name for name in told if f"`{name}`" not in readme] == []


def test_settings_are_settings() -> None:
    given = {name for each in SERVICES.values() for name in each.get("environment", {}) if name.startswith(PREFIX)}
    keys = {name.removeprefix(PREFIX).lower() for name in given - {"SMTPY_CONFIG", "SMTPY_WEB_BIND"}}
    assert keys <= set(Settings.model_fields)


@pytest.mark.parametrize("name", SERVICES)
def test_each_has_bounds(name: str) -> None:
    service = SERVICES[name]
    assert {"restart", "mem_limit", "logging", "security_opt"} <= set(service) or name == "https"
    assert service["restart"] == ("no" if name == "init" else "unless-stopped")
    assert "networks" in service or service["network_mode"] == "none"
    assert "healthcheck" in service or name in UNASKED


@pytest.mark.parametrize("name", OURS)
def test_what_is_ours_can_do_little(name: str) -> None:
    service = OURS[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert ("cap_add" in service) is (name in ROOTS)


def test_only_smtp_and_the_web_pages_are_open() -> None:
    assert {name for name, each in SERVICES.items() if "ports" in each} == {"postfix", "web", "metrics", "https"}
    assert SERVICES["web"]["ports"] == ["${SMTPY_WEB_PORT:-127.0.0.1:8000}:8000"]
    assert SERVICES["metrics"]["ports"] == ["${SMTPY_METRICS_PORT:-127.0.0.1:9925}:9925"]


def test_nobody_else_is_given_the_addresses_that_may_send() -> None:
    """Who may relay is known by address: not even while its owner is down may another container get it."""
    (pool,) = yaml.safe_load(COMPOSE.read_text())["networks"]["mail"]["ipam"]["config"]
    given = ip_network(pool["ip_range"].replace("${SMTPY_NETWORK:-172.30.25}", "172.30.25"))
    fixed = re.findall(r'ipv4_address: "\$\{SMTPY_NETWORK:-(.+?)\}(\.\d+)"', COMPOSE.read_text())
    assert len(fixed) == 2
    assert not any(ip_address(network + host) in given for network, host in fixed)


def test_volumes_are_declared() -> None:
    used = {each.partition(":")[0] for service in SERVICES.values() for each in service["volumes"]}
    assert used == set(yaml.safe_load(COMPOSE.read_text())["volumes"])


def test_the_page_tells_of_every_service() -> None:
    page = (ROOT / "docs" / "docker.md").read_text()
    assert [name for name in SERVICES if f"`{name}`" not in page] == []


@pytest.mark.parametrize("name", ["serve", "instance"])
def test_scripts_are_shell(name: str) -> None:
    subprocess.run(["sh", "-n", ROOT / "postfix" / name], check=True)
    assert (ROOT / "postfix" / name).stat().st_mode & 0o111


def test_images_get_what_they_copy() -> None:
    ignored = (ROOT / ".dockerignore").read_text().split()
    for source in re.findall(r"^COPY (?!--from)(.+) \S+$", (ROOT / "Dockerfile").read_text(), re.M):
        for part in map(Path, source.split()):
            assert any(f"!{each}" in ignored for each in (part, *part.parents)) or part == Path(), source
