"""A letter as a message (RFC 5322): plain text, and HTML that looks the same with pictures off, for there are none.

Auto-Submitted (RFC 3834) keeps vacation programs from answering.
"""

from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, make_msgid
from html import escape

from smtpy.mail.address import parse
from smtpy.notices.letters import Letter

_PAGE = """<!doctype html>
<html lang="{language}"><head><meta charset="utf-8"><meta name="color-scheme" content="light dark">
<title>{subject}</title></head>
<body style="margin:0;padding:32px 16px;font:16px/1.5 system-ui,-apple-system,'Segoe UI',sans-serif">
<div style="max-width:34rem;margin:0 auto">
<h1 style="font-size:20px;line-height:1.3;margin:0 0 16px">{subject}</h1>
{body}
<p style="margin:32px 0 0;padding-top:12px;border-top:1px solid #8886;font-size:13px">{foot}</p>
</div></body></html>
"""
_PARAGRAPH = '<p style="margin:0 0 14px">{}</p>'
_LINK = (
    '<p style="margin:24px 0"><a href="{href}" style="display:inline-block;padding:10px 18px;border-radius:8px;'
    'background:#1a56b0;color:#ffffff;text-decoration:none;font-weight:600">{label}</a></p>'
    '<p style="margin:0 0 14px;font:13px/1.4 monospace;word-break:break-all">{href}</p>'
)


def composed(letter: Letter, *, sender: str, to: str, host: str, language: str, now: datetime) -> EmailMessage:
    """The message, ready to leave. `host`: this mail server, for the Message-ID and the foot."""
    message = EmailMessage(policy=SMTP)
    message["From"] = _address(sender, "SMTPy")
    message["To"] = _address(to)
    message["Subject"] = letter.subject
    message["Date"] = format_datetime(now)
    message["Message-ID"] = make_msgid(domain=host)
    message["Auto-Submitted"] = "auto-generated"
    message["Content-Language"] = language
    message.set_content(_text(letter, host))
    message.add_alternative(_html(letter, host, language), subtype="html")
    return message


def _address(text: str, name: str = "") -> Address:
    """As a header has it. `addr_spec` of Python's would refuse a local part that is not ASCII (RFC 6532)."""
    found = parse(text)
    return Address(name, found.local, found.domain)


def _text(letter: Letter, host: str) -> str:
    link = (f"{letter.label}:\n{letter.link}",) if letter.link else ()
    return "\n\n".join((*letter.before, *link, *letter.after, f"-- \nSMTPy, {host}")) + "\n"


def _html(letter: Letter, host: str, language: str) -> str:
    parts = [_PARAGRAPH.format(escape(each)) for each in letter.before]
    if letter.link:
        parts.append(_LINK.format(href=escape(letter.link), label=escape(letter.label)))
    parts += [_PARAGRAPH.format(escape(each)) for each in letter.after]
    subject, foot = escape(letter.subject), escape(f"SMTPy, {host}")
    return _PAGE.format(language=escape(language), subject=subject, body="\n".join(parts), foot=foot)
