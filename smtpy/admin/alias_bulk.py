"""One act on many aliases, in one change: each is done or refused for itself, and has an audit row of its own."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from smtpy.admin import aliases
from smtpy.admin.aliases import AliasView
from smtpy.admin.change import Change
from smtpy.admin.refusals import Invalid, Refusal

MOST = 200  # aliases of one act

Act = Callable[[Change, str, Sequence[str]], AliasView]


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one: `before` and `after` it was done, or why it was not."""

    name: str
    before: AliasView | None = None
    after: AliasView | None = None
    refused: str = ""

    @property
    def changed(self) -> bool:
        """Whether it was done, and was not so before."""
        return self.after is not None and self.before != self.after


def _tag(c: Change, name: str, words: Sequence[str]) -> AliasView:
    borne = aliases.show(c.session, name).tags
    return aliases.set_(c, name, tags=[*borne, *words])


def _untag(c: Change, name: str, words: Sequence[str]) -> AliasView:
    gone = {word.strip().lower() for word in words}
    return aliases.set_(c, name, tags=[tag for tag in aliases.show(c.session, name).tags if tag not in gone])


# What each act is called; its last argument are words: tags, or mailboxes by UUID.
ACTS: Mapping[str, Act] = {
    "on": lambda c, name, _: aliases.on(c, name),
    "off": lambda c, name, _: aliases.off(c, name),
    "tag": _tag,
    "untag": _untag,
    "tags": lambda c, name, words: aliases.set_(c, name, tags=words),
    "mailboxes": lambda c, name, words: aliases.set_(c, name, to=words),
    "pin": lambda c, name, _: aliases.set_(c, name, pinned=True),
    "unpin": lambda c, name, _: aliases.set_(c, name, pinned=False),
    "trash": lambda c, name, _: aliases.delete(c, name),
    "restore": lambda c, name, _: aliases.restore(c, name),
}


def each(c: Change, act: str, names: Sequence[str], words: Sequence[str] = ()) -> tuple[Result, ...]:
    """Do it to every one of these aliases (by address or UUID), in their order. Raises Invalid."""
    if act not in ACTS:
        raise Invalid("act", "Choose what is to be done with the aliases.")
    if not names or len(names) > MOST:
        raise Invalid("aliases", f"Choose at least one alias, and at most {MOST}.")
    return tuple(_one(c, ACTS[act], name, words) for name in dict.fromkeys(names))


def _one(c: Change, act: Act, name: str, words: Sequence[str]) -> Result:
    try:
        before = aliases.show(c.session, name)
        with c.session.begin_nested():
            return Result(name, before, act(c, name, words))
    except Refusal as refusal:
        return Result(name, refused=refusal.message)
