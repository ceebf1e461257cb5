"""The form of what would become of a message."""

import ipaddress

from flask_wtf.file import FileField
from wtforms import Field, StringField, TextAreaField
from wtforms.validators import InputRequired, Length, Optional, ValidationError

from smtpy.mail.address import ANY_LENGTH, BadAddress, parse_path, strip_path
from web.forms import Form
from web.i18n import _, _l
from web.told import told

MAX_MESSAGE = 1_000_000  # octets
MAX_RECIPIENTS = 10
_PLAIN = {"autocapitalize": "none", "autocomplete": "off", "spellcheck": "false", "class": "code"}


class Ask(Form):
    """A message and the SMTP session it would come in."""

    sender = StringField(
        _l("MAIL FROM"), [Length(max=1000)], render_kw={**_PLAIN, "placeholder": "somebody@shop.example"}
    )
    recipients = StringField(_l("RCPT TO"), [InputRequired(_l("Fill this in.")), Length(max=4000)], render_kw=_PLAIN)
    message = TextAreaField(_l("Message"), render_kw={**_PLAIN, "rows": 12, "placeholder": "From: …\nSubject: …\n\n…"})
    file = FileField(_l("or a file"), render_kw={"accept": ".eml,message/rfc822,text/plain"})
    client = StringField(
        _l("IP address of the client"), [Optional(), Length(max=64)], render_kw={**_PLAIN, "placeholder": "192.0.2.1"}
    )
    helo = StringField(
        _l("HELO"), [Optional(), Length(max=255)], render_kw={**_PLAIN, "placeholder": "mail.shop.example"}
    )

    def validate_sender(self, field: Field) -> None:
        """Empty is the null reverse-path, of reports."""
        path = strip_path(field.data or "")
        if path:
            _address(path)

    def validate_recipients(self, field: Field) -> None:
        """A few, with blanks or commas between them."""
        if not 1 <= len(self.paths()) <= MAX_RECIPIENTS:
            raise ValidationError(_("Name between one and %(most)s addresses.", most=MAX_RECIPIENTS))

    def validate_client(self, field: Field) -> None:
        """As SPF would ask about it."""
        try:
            ipaddress.ip_address(field.data.strip())
        except ValueError:
            raise ValidationError(_("That is no IP address.")) from None

    def validate_message(self, field: Field) -> None:
        """One of the two, and not too much of it."""
        octets = len(self.octets())
        if not octets:
            raise ValidationError(_("Paste a message, or choose a file."))
        if octets > MAX_MESSAGE:
            raise ValidationError(_("A message of up to 1 MB can be explained here."))

    def paths(self) -> tuple[str, ...]:
        """The recipients."""
        return tuple((self.recipients.data or "").replace(",", " ").split())

    def octets(self) -> bytes:
        """The message: of the file, if one was chosen."""
        if self.file.data:
            self.file.data.stream.seek(0)
            read: bytes = self.file.data.stream.read(MAX_MESSAGE + 1)
            if read:
                return read
        return (self.message.data or "").encode("utf-8", "surrogateescape")


def _address(path: str) -> None:
    try:
        parse_path(path, max_local=ANY_LENGTH)
    except BadAddress as bad:
        raise ValidationError(told(f"{path} is no address: {bad}.")) from None
