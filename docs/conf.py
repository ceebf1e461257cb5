"""The pages as a site: `make docs` writes build/docs, for any server of files or for a browser by itself.

Sphinx and MyST, because they are kept, and Furo, because what it makes loads nothing from elsewhere. The pages stay
plain Markdown that a code host shows as well: no directives, links name files. Two things follow from it.

- The source is the whole repository, since pages are where what they tell of is (postfix/README.md); a link to a file
  that is no page, source say, gives that file to be saved.
- The menu is made from docs/README.md, which lists every page under one of its headings. A page that it does not list,
  a link that leads nowhere, and any other warning, ends the build.
"""

import re
from pathlib import Path

from sphinx.application import Sphinx

ROOT = Path(__file__).parents[1]
FRONT = "docs/README"
SECTION = re.compile(r"^## (.+)\n((?:(?!## ).*\n?)*)", re.M)
LISTED = re.compile(r"^- \[([^\]]+)\]\((.+?)\.md\)", re.M)

project = "SMTPy"
extensions = ["myst_parser"]
include_patterns = ["*.md", "docs/*.md", "ansible/README.md", "bench/README.md", "postfix/README.md"]
exclude_patterns = [".*", "build", "tests", "web", "README.md"]  # not looked into
root_doc = FRONT
myst_heading_anchors = 3
highlight_language = "text"
smartquotes = False  # what is searched for and copied is as it was written: --option, "words"
html_theme = "furo"
html_title = "SMTPy"
html_show_sphinx = False
html_copy_source = False
html_use_index = False
html_show_copyright = False


def add_menu(_app: Sphinx, name: str, source: list[str]) -> None:
    """After the front page's list of pages, the same as menus, which nobody sees on the page itself."""
    if name != FRONT:
        return
    for caption, listed in SECTION.findall(source[0]):
        entries = "\n".join(f"{title} </{_document(path)}>" for title, path in LISTED.findall(listed))
        source[0] += f"\n```{{toctree}}\n:hidden:\n:caption: {caption}\n\n{entries}\n```\n"


def _document(path: str) -> str:
    """Sphinx's name of what a link in docs/ names."""
    return (ROOT / "docs" / path).resolve().relative_to(ROOT).as_posix()


def open_the_door(app: Sphinx, problem: Exception | None) -> None:
    """The front page is in a folder; whoever comes to the root is sent there."""
    if problem is None:
        door = f'<!doctype html><title>SMTPy</title><meta http-equiv="refresh" content="0; url={FRONT}.html">\n'
        (Path(app.outdir) / "index.html").write_text(door, "utf-8")


def setup(app: Sphinx) -> None:
    app.connect("source-read", add_menu)
    app.connect("build-finished", open_the_door)
