"""`make docs`: the pages become a site which stands by itself, and what is wrong with a page ends the build."""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
LOADED = re.compile(r"<(?:script|img|iframe|link)\b[^>]*?(?:src|href)=\"(?!data:)([^\"]+)")
FRONT = "# Front\n\n## How-to\n\n- [One](one.md)\n"


def build(source: Path, site: Path) -> subprocess.CompletedProcess[str]:
    """What the Makefile does, of another folder."""
    words = ["-b", "html", "-d", str(site.parent / "doctrees"), "--fail-on-warning", "--keep-going", "--quiet"]
    command = [sys.executable, "-m", "sphinx", "-c", str(ROOT / "docs"), *words, str(source), str(site)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


def test_the_pages_become_a_site_that_loads_nothing_from_elsewhere(tmp_path: Path) -> None:
    done = build(ROOT, tmp_path / "site")
    assert (done.returncode, done.stderr) == (0, "")
    pages = {path.relative_to(tmp_path / "site") for path in (tmp_path / "site").rglob("*.html")}
    assert {Path("index.html"), Path("docs/README.html"), Path("postfix/README.html")} <= pages
    assert {Path("docs", f"{path.stem}.html") for path in (ROOT / "docs").glob("*.md")} <= pages
    for page in pages:
        loaded = LOADED.findall((tmp_path / "site" / page).read_text("utf-8"))
        assert [url for url in loaded if "//" in url] == [], page
    styles = "".join(path.read_text("utf-8") for path in (tmp_path / "site" / "_static").rglob("*.css"))
    assert re.findall(r"(?:@import|url\()\s*[\"']?(?:https?:)?//[^)]*", styles) == []


def test_what_is_wrong_with_a_page_ends_the_build(tmp_path: Path) -> None:
    docs = tmp_path / "docs"
    docs.mkdir()
    pages = {
        "README": FRONT,
        "one": "# One\n\n[gone](two.md), [gone](README.md#nowhere)\n",
        "forgotten": "# Forgotten\n",
    }
    for name, text in pages.items():
        (docs / f"{name}.md").write_text(text, "utf-8")
    done = build(tmp_path, tmp_path / "site")
    assert done.returncode != 0
    for each in ("'two.md'", "'nowhere'", "forgotten.md: WARNING: document isn't included in any toctree"):
        assert done.stderr.count(each) == 1, (each, done.stderr)
    assert done.stderr.count("WARNING") == 3
