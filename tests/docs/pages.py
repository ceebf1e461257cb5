"""The pages as Markdown readers see them: code blocks with their language and place, and code within sentences."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from markdown_it import MarkdownIt

ROOT = Path(__file__).parents[2]
PAGES = tuple(
    sorted(
        path.relative_to(ROOT).as_posix() for each in ("*.md", "docs/*.md", "*/README.md") for path in ROOT.glob(each)
    )
)


@dataclass(frozen=True, slots=True)
class Block:
    """`line` is that of its first line in the page; `heading` the one that it stands under."""

    page: str
    line: int
    heading: str
    language: str  # "" where it says none
    text: str


def _tokens(page: str) -> list:
    return MarkdownIt("commonmark").enable("table").parse((ROOT / page).read_text("utf-8"))


def blocks(page: str) -> Iterator[Block]:
    """Every code block, indented ones too."""
    heading, opened = "", False
    for token in _tokens(page):
        if opened:
            heading = token.content
        opened = token.type == "heading_open"
        if token.type in ("fence", "code_block"):
            fenced = token.type == "fence"
            yield Block(page, token.map[0] + (2 if fenced else 1), heading, token.info if fenced else "", token.content)


def spans(page: str) -> Iterator[str]:
    """What stands between backticks in sentences and tables, in one line each."""
    for token in _tokens(page):
        for child in token.children or ():
            if child.type == "code_inline":
                yield child.content
