"""The canonical forms of a header field, which is what gets hashed (RFC 6376 sections 3.4.1, 3.4.2 and 3.7).

Out comes the whole field with CRLF line ends. Blanks are space and tab only: Python's own idea of white space has more.
Runs of blanks are halved by `replace` until none is left, which takes one pass for each doubling of their length; an
expression with a quantifier would take the square.
"""

from smtpy.mail.message import Field

CRLF = b"\r\n"


def relaxed(field: Field) -> bytes:
    """Name in lower case, folds undone, runs of blanks made one space, none round the colon and at the end."""
    value = field.value.replace(CRLF, b"").replace(b"\n", b"")
    return field.name.rstrip(b" \t").lower() + b":" + squeezed(value).strip(b" ") + CRLF


def simple(field: Field) -> bytes:
    """As it came, with CRLF in its folds."""
    return field.name + b":" + field.value.replace(CRLF, b"\n").replace(b"\n", CRLF) + CRLF


def squeezed(text: bytes) -> bytes:
    """Tabs made spaces, runs of spaces made one."""
    text = text.replace(b"\t", b" ")
    while b"  " in text:
        text = text.replace(b"  ", b" ")
    return text


def unsigned(field: Field) -> Field:
    """A signature field with the value of its b= tag, and all blanks round that, left out (RFC 6376 section 3.5)."""
    parts = field.value.split(b";")
    for index, part in enumerate(parts):
        name, equals, _ = part.partition(b"=")
        if equals and name.strip(b" \t\r\n") == b"b":
            parts[index] = name + equals
            break
    return Field(field.name, b";".join(parts))
