"""A small SMTP server on loopback (RFC 5321, STARTTLS, AUTH PLAIN), for tests."""

import asyncio
import base64
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage


@dataclass
class Mailbox:
    """`answers` replace the usual answer of a command, by its name; who is `put_off` is to be tried again."""

    context: ssl.SSLContext | None = None
    answers: dict[str, str] = field(default_factory=dict)
    mails: list[EmailMessage] = field(default_factory=list)
    recipients: list[str] = field(default_factory=list)
    log_ins: list[str] = field(default_factory=list)
    put_off: set[str] = field(default_factory=set)
    was_encrypted: bool = False
    port: int = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await self._talk(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError, ssl.SSLError):
            pass
        finally:
            writer.close()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 test\r\n")
        while line := (await reader.readline()).decode().strip():
            command = line.split(" ")[0].upper()
            reply = self.answers.get(command) or self._reply(command, line)
            writer.write(reply.encode() + b"\r\n")
            await writer.drain()
            if command == "STARTTLS" and reply.startswith("220") and self.context is not None:
                await writer.start_tls(self.context)
            elif command == "DATA" and reply.startswith("354"):
                raw = (await reader.readuntil(b"\r\n.\r\n")).removesuffix(b".\r\n")
                self.mails.append(message_from_bytes(raw, policy=policy.default))
                self.was_encrypted = writer.get_extra_info("ssl_object") is not None
                writer.write(b"250 kept\r\n")
            elif command == "QUIT":
                return

    def _reply(self, command: str, line: str) -> str:
        if command == "AUTH":
            self.log_ins.append(base64.b64decode(line.split(" ")[2]).decode())
        if command == "RCPT":
            recipient = line.partition("<")[2].partition(">")[0]
            if recipient in self.put_off:
                return "451 4.7.1 greylisted"
            self.recipients.append(recipient)
        return _USUAL.get(command, "250 ok")


_USUAL = {
    "EHLO": "250-test\r\n250-AUTH PLAIN\r\n250 STARTTLS",
    "AUTH": "235 welcome",
    "DATA": "354 go on",
    "STARTTLS": "220 go on",
    "QUIT": "221 bye",
}


@asynccontextmanager
async def mail_server(context: ssl.SSLContext | None = None, *, tls: bool = False) -> AsyncIterator[Mailbox]:
    box = Mailbox(context)
    server = await asyncio.start_server(box.serve, "127.0.0.1", 0, ssl=context if tls else None)
    box.port = server.sockets[0].getsockname()[1]
    try:
        yield box
    finally:
        server.close()
