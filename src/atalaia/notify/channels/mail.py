"""E-mail over SMTP: STARTTLS, TLS or plain, with or without a log-in, text and HTML beside each other."""

import asyncio
import smtplib
import socket
import ssl
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from email.message import EmailMessage
from email.utils import format_datetime, formataddr, parseaddr
from typing import Any

from atalaia.core.errors import InvalidField
from atalaia.core.translations import N_
from atalaia.notify.channels.tools import Tools
from atalaia.outbound.guard import Trust
from atalaia.outbound.sockets import open_socket
from atalaia.sdk.channels import ChannelField, ChannelKind, ChannelMessage, DirectMessage, Values, take_fields
from atalaia.sdk.failures import NoSuchAddress, PermanentFailure, TemporaryFailure

_CONNECT_S = 10
_ANSWER_S = 20
# All of it. A server that says a little now and then would else hold a thread, of which there are few, for ever.
WHOLE_S = 90.0
_ANSWER_BYTES = 65_536
_PORTS = range(1, 65536)
_PERMANENT_FROM = 500  # RFC 5321, section 4.2.1
_NOBODY = (
    "5.1.1",
    "5.1.2",
    "5.1.3",
    "5.1.6",
    "5.1.10",
)  # RFC 3463, section 3.2: bad, moved, or no such mailbox or system


class Email(ChannelKind):
    name = "email"
    title = N_("E-mail")
    hint = N_("Through your mail server")
    secrets_go_to = ("host", "port")
    takes_direct = True
    needs_channel = True
    fields = (
        ChannelField("recipients", N_("To"), "lines", help=N_("One address a line."), placeholder="ops@example.org"),
        ChannelField("sender", N_("From"), placeholder="atalaia@example.org"),
        ChannelField("host", N_("SMTP server"), placeholder="smtp.example.org"),
        ChannelField("port", N_("Port"), "number", default=587),
        ChannelField(
            "security",
            N_("Encryption"),
            "choice",
            default="starttls",
            choices=(("starttls", "STARTTLS"), ("tls", "TLS"), ("none", N_("None"))),
        ),
        ChannelField("username", N_("User name"), is_required=False, default=""),
        ChannelField("password", N_("Password"), "secret", is_required=False, default=""),
    )

    def __init__(self, tools: Tools) -> None:
        self._tools = tools

    def check(self, values: Values) -> dict[str, Any]:
        taken = take_fields(self.fields, values)
        for address in taken["recipients"]:
            _check_address("recipients", address)
        _check_address("sender", taken["sender"])
        if taken["port"] not in _PORTS:
            raise InvalidField("port", "A port is a number from 1 to 65535.")
        if taken["username"] and taken["security"] == "none":
            raise InvalidField("security", "A password must not travel without encryption.")
        if taken["username"] and not taken["password"]:
            raise InvalidField("password", "A user name needs a password; for another server it has to be typed again.")
        return taken

    def describe(self, values: Values) -> str:
        return ", ".join(values["recipients"])

    def check_address(self, address: str) -> str:
        """As `ana@example.org`, or with a name before it. Raises: InvalidField."""
        _check_address("to", address)
        name, plain = parseaddr(address)
        return formataddr((" ".join(name.split()), plain))

    def targets(self, values: Values) -> Sequence[str]:
        """One refused, or put off for a while as many servers do with those they don't know, must not pass for told."""
        return list(values["recipients"])

    async def send(self, values: Values, message: ChannelMessage) -> str:
        """Addressed to all of the channel, handed over for `message.target` alone."""
        return await send_mail(values, compose(values, message), self._tools, to=message.target or None)

    async def send_direct(self, values: Values, message: DirectMessage) -> str:
        """Raises: as `send_mail`; NoSuchAddress."""
        return await send_mail(values, compose_letter(values, message), self._tools)


async def send_mail(values: Values, mail: EmailMessage, tools: Tools, *, to: str | None = None) -> str:
    """Through the server of an e-mail channel; `to` is who of those it is addressed to, None: all.

    Raises: TemporaryFailure, PermanentFailure, TargetRefused.
    """
    opened = await open_socket(
        values["host"], values["port"], guard=tools.guard, trust=Trust.TYPED, timeout_s=_CONNECT_S
    )
    line = opened.dup()  # stays, whatever TLS makes of the other
    work = tools.threads.submit(_submit, opened, values, mail, to)
    try:
        async with asyncio.timeout(WHOLE_S):
            return await asyncio.wrap_future(work)
    except TimeoutError as error:
        raise TemporaryFailure("The mail server was not done within {seconds} s.", seconds=WHOLE_S) from error
    finally:
        # The thread is woken and closes what it has; one that was never begun has nothing to close it.
        with suppress(OSError):
            line.shutdown(socket.SHUT_RDWR)
        line.close()
        if work.cancelled():
            opened.close()


def _check_address(field: str, text: str) -> None:
    _, address = parseaddr(text)
    local, at, domain = address.rpartition("@")
    if not at or not local or not domain or not text.isprintable() or " " in address:
        raise InvalidField(field, "{text} is not an e-mail address.", text=text)


def compose(values: Values, message: ChannelMessage) -> EmailMessage:
    """To all of the channel, in the thread of its incident."""
    mail = _written(
        values, ", ".join(values["recipients"]), message.marked_title, delivery=message.delivery, at=message.sent_at
    )
    thread = f"<{message.lead.incident_id}@{_domain_of(values['sender'])}>"
    mail["References"] = thread
    mail["In-Reply-To"] = thread
    mail.set_content(message.text)
    mail.add_alternative(message.html, subtype="html")
    return mail


def compose_letter(values: Values, message: DirectMessage) -> EmailMessage:
    """To one person, as plain text."""
    mail = _written(values, message.to, message.subject, delivery=message.delivery, at=message.sent_at)
    mail.set_content(message.text + "\n")
    return mail


def _written(values: Values, to: str, subject: str, *, delivery: str, at: datetime) -> EmailMessage:
    """The delivery's id is the Message-ID, so that a mail sent twice is seen once."""
    mail = EmailMessage()
    mail["From"] = values["sender"]
    mail["To"] = to
    mail["Subject"] = " ".join(subject.split())
    mail["Date"] = format_datetime(at)
    mail["Message-ID"] = f"<{delivery}@{_domain_of(values['sender'])}>"
    mail["X-Atalaia-Delivery"] = delivery
    # RFC 3834: no "out of office" comes back.
    mail["Auto-Submitted"] = "auto-generated"
    return mail


def _domain_of(address: str) -> str:
    return parseaddr(address)[1].rpartition("@")[2]


class _Session(smtplib.SMTP):
    """An SMTP session on a connection that the guard has let through."""

    def __init__(self, opened: socket.socket, host: str) -> None:
        self._opened = opened
        super().__init__(timeout=_ANSWER_S)
        self._host = host  # what STARTTLS checks the certificate against

    def getreply(self) -> tuple[int, bytes]:
        """As the base class, which takes an answer of any number of lines."""
        plain = self.file if self.file is not None else self.sock.makefile("rb")  # type: ignore[union-attr]
        self.file = _Short(plain)
        try:
            return super().getreply()
        finally:
            if self.file is not None:  # it was not closed
                self.file = plain

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:  # noqa: ARG002 - the base class's form
        return self._opened

    def leave(self) -> None:
        """Whatever the server says to that: what it has taken it has."""
        with suppress(smtplib.SMTPException, OSError):
            self.quit()
        self.close()


class _Short:
    """The lines of one answer, as many as an answer may reasonably have."""

    def __init__(self, plain: Any) -> None:
        self._plain = plain
        self._left = _ANSWER_BYTES

    def readline(self, size: int) -> bytes:
        line: bytes = self._plain.readline(size)
        self._left -= len(line)
        if self._left < 0:
            raise OSError("its answer has no end")
        return line

    def close(self) -> None:
        self._plain.close()


def _submit(opened: socket.socket, values: Values, mail: EmailMessage, to: str | None) -> str:
    try:
        return _talk(opened, values, mail, to)
    finally:
        opened.close()


def _talk(opened: socket.socket, values: Values, mail: EmailMessage, to: str | None) -> str:
    try:
        opened.settimeout(_ANSWER_S)
        if values["security"] == "tls":
            opened = ssl.create_default_context().wrap_socket(opened, server_hostname=values["host"])
        session = _Session(opened, values["host"])
        try:
            session.connect(values["host"], values["port"])
            if values["security"] == "starttls":
                session.starttls(context=ssl.create_default_context())
            if values["username"]:
                session.login(values["username"], values["password"])
            refused = session.send_message(mail, to_addrs=parseaddr(to)[1] if to else None)
        finally:
            session.leave()
    except smtplib.SMTPException as error:
        raise _failure(error) from error
    except ssl.SSLCertVerificationError as error:
        raise TemporaryFailure("The certificate is not valid: {why}", why=error.verify_message) from error
    except (OSError, ValueError) as error:
        raise TemporaryFailure("The mail server does not answer as it should: {why}", why=str(error)) from error
    if refused:
        return "250, but refused for " + ", ".join(sorted(refused))
    return "250 OK"


def _failure(error: smtplib.SMTPException) -> TemporaryFailure | PermanentFailure:
    """What the server refuses for ever (5xx) is given up; a wrong password may be put right within the day."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        answer: tuple[int, bytes | str] = next(iter(error.recipients.values()))
    elif isinstance(error, smtplib.SMTPResponseException):
        answer = error.smtp_code, error.smtp_error
    else:
        return TemporaryFailure("The mail server does not answer as it should: {why}", why=str(error))
    status, text = answer
    shown = text.decode(errors="replace") if isinstance(text, bytes) else str(text)
    message = "The mail server answered {status} {text}"
    if status >= _PERMANENT_FROM and not isinstance(error, smtplib.SMTPAuthenticationError | smtplib.SMTPHeloError):
        is_nobody = isinstance(error, smtplib.SMTPRecipientsRefused) and shown.startswith(_NOBODY)
        return (NoSuchAddress if is_nobody else PermanentFailure)(message, status=status, text=shown)
    return TemporaryFailure(message, status=status, text=shown)
