"""The benchmark of pages measures pages: on a small town each is found, and its table has a row."""

from pathlib import Path

import pytest

from bench import web


def test_each_page_is_measured(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    url = f"sqlite:///{tmp_path}/smtpy.db"
    web.fill(url, "small")
    assert web.main(["--database", url, "--rounds", "2"]) == 0
    told = capsys.readouterr().out
    for name, *_ in web.PAGES:
        assert f"| {name} |" in told
