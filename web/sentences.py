"""The sentences of the core, as texts to translate: found in its source, which is English and knows no other language.

Whatever literal of these modules holds words is taken for a sentence that somebody may read; what is said to programs
and logs is left out by where it stands, and a few by name. `f"{name} has no key"` becomes `%(name)s has no key`. How
they are found again in what the core says is written in web.told.
"""

import ast
import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

CORE = "smtpy"  # the context of these texts in a catalogue
ROOT = Path(__file__).parent.parent
SPEAKING = (
    "admin/*.py",
    "authn/*.py",
    "directory/*.py",
    "doctor/*.py",
    "explain/*.py",
    "mail/address.py",
    "policy/decision.py",
    "queue/client.py",
    "queue/decision.py",
    "queue/postfix.py",
    "queue/protocol.py",
    "queue/server.py",
    "resolver.py",
    "routing/*.py",
    "signing/*.py",
    "srs.py",
    "zone/*.py",
)
_SILENT = ("admin/balance.py", "admin/names.py", "authn/author.py", "zone/master.py", "zone/providers.py")
PARTED = ("smtpy/admin/outages.py", "smtpy/doctor/postfix.py", "smtpy/queue/client.py")  # what is wrong; and the fix
SETTINGS = "smtpy/config/schema.py"  # where it is the docstrings that are shown
# What stands for something in a sentence, or between its parts; and what the system and pyspf say.
WORDS = (
    "alias", "domain", "mailbox", "user", "owner", "name", "note", "text", "pattern", "website", "tags",
    "forward", "split", "refuse", "drop", "hold", "loop", "discard", "return", "relay", "tagged", "held", "catch-all",
    "ok", "warning", "unknown", "missing", "wrong", "ownership", "replies", "nothing", "none", "reject", "quarantine",
    "empty", "non-delivery", "delay", "delivery status", "dropped by its owner",
    "No such file or directory", "Connection refused", "Permission denied", "timed out",
    "does not answer (%(name)s)", "says %(response)s",
    "SPF Permanent Error", "SPF Temporary Error", "Unknown mechanism found", "Too many DNS lookups", "syntax error",
    "Invalid IP4 address", "Invalid IP6 address", "Invalid IP4 CIDR length", "Invalid IP6 CIDR length",
    "More than %(most)s MX records returned", "Two or more type TXT spf records found.",
    "include has trivial recursion", "include mechanism missing domain",
    "redirect= MUST appear at most once", "redirect domain has no SPF record",
)  # fmt: skip
_TO_PROGRAMS = {  # calls whose words no reader of a page sees
    *("compile", "note", "record", "Reply", "RuntimeError", "AssertionError", "ValueError", "TypeVar", "cast"),
    *("debug", "info", "warning", "error", "exception", "startswith", "split", "removeprefix", "removesuffix"),
}
_UNSAID = re.compile(  # by how they begin: records, commands, protocols, names of things in the audit trail
    r"\n|; |TXT |CNAME |MX %|v=|mx: |max_age: |version: |mode: |spf=|link |chmod |mkdir |open queue file "
    r"|[0-9]{3} [0-9.]+ |postconf: |postcat|request=|check_policy_service |permit_| why=|%%"
    r"|(signing keys|the queue|gave up|SMTPy %.*|%\S+ UTC)\Z"
    r"|(announcement|domain|domains|invitation|key|mailbox|message|passkey|rule|session|user) %\S+( of %\S+)?\Z"
    r"|(master\.cf %\S+|no such table|no such column|unable to open|permission denied|does not exist|not a database)\Z"
)
_WORDS = re.compile(r"[A-Za-z]{2,}\W* |\s[A-Za-z]{2,}")
_NAMED = re.compile(r"\{(\w+)\}")  # of a text that is formatted later


def sentences() -> Iterator[tuple[str, int, str]]:
    """File, line and text of each, as `%(name)s` has it; the single words have no line."""
    for pattern in SPEAKING:
        for path in sorted(each for each in (ROOT / "smtpy").glob(pattern) if not each.as_posix().endswith(_SILENT)):
            place = path.relative_to(ROOT).as_posix()
            for node in _literals(ast.parse(path.read_text("utf-8"))):
                text = _text(node)
                for part in text.split("; ") if place in PARTED else [text]:
                    if _WORDS.search(re.sub(r"%\(\w+\)s", "0", part)) and not _UNSAID.match(part):
                        yield place, node.lineno, part
    for node in _meanings(ast.parse((ROOT / SETTINGS).read_text("utf-8"))):
        yield SETTINGS, node.lineno, _text(node)
    for word in WORDS:
        yield "web/sentences.py", 0, word


def parts_of(text: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What does not change in a text, and the names of the values between; there is one less of these."""
    fixed = re.split(r"%\(\w+\)s", text)
    return tuple(each.replace("%%", "%") for each in fixed), tuple(re.findall(r"%\((\w+)\)s", text))


def _literals(node: ast.AST) -> Iterator[ast.Constant | ast.JoinedStr]:
    """Those that may be read by people: no docstrings, no types, nothing that is looked for or logged."""
    match node:
        case ast.Expr(value=ast.Constant()) | ast.Compare() | ast.Subscript(slice=ast.Constant()):
            return
        case ast.Call(func=ast.Name(id=called) | ast.Attribute(attr=called)) if called in _TO_PROGRAMS:
            return
        case ast.Constant(value=str()) | ast.JoinedStr():
            yield node
    for within in _within(node):
        yield from _literals(within)


def _meanings(tree: ast.Module) -> Iterator[ast.Constant]:
    """What stands below each setting."""
    for settings in (each for each in tree.body if isinstance(each, ast.ClassDef)):
        for above, each in pairwise(settings.body):
            match above, each:
                case ast.AnnAssign(), ast.Expr(value=ast.Constant() as meaning):
                    yield meaning


def _within(node: ast.AST) -> Iterator[ast.AST]:
    """What a node is made of, without the types; of a text only the values in it."""
    if isinstance(node, ast.JoinedStr):
        yield from (part.value for part in node.values if isinstance(part, ast.FormattedValue))
        return
    for field, value in ast.iter_fields(node):
        if field not in ("annotation", "returns"):
            yield from (each for each in (value if isinstance(value, list) else [value]) if isinstance(each, ast.AST))


def _text(node: ast.Constant | ast.JoinedStr) -> str:
    """With `%(name)s` for each value. A name that comes twice is numbered, since its values may differ."""
    if isinstance(node, ast.Constant):
        return _NAMED.sub(r"%(\1)s", str(node.value).replace("%", "%%"))
    taken: list[str] = []
    text = ""
    for part in node.values:
        if isinstance(part, ast.FormattedValue):
            name = _name(part.value)
            taken.append(name)
            number = taken.count(name)
            text += f"%({name}{number if number > 1 else ''})s"
        elif isinstance(part, ast.Constant):
            text += str(part.value).replace("%", "%%")
    return text


def _name(value: ast.expr) -> str:
    """What a translator is told of a value: the name it has in the source."""
    match value:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name.strip("_").lower()
        case ast.Call(args=[argument, *_]) | ast.GeneratorExp(generators=[ast.comprehension(iter=argument)]):
            return _name(argument)
        case ast.Call(func=ast.Attribute(value=inner)) | ast.Subscript(value=inner) | ast.BoolOp(values=[inner, *_]):
            return _name(inner)
        case ast.IfExp(body=inner):
            return _name(inner)
    return "value"
