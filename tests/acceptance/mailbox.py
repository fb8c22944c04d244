"""A mail server on loopback that keeps what it is sent, and when it came."""

import asyncio
import contextlib
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import EmailMessage

from tests.unit.notify.smtp_server import Mailbox, mail_server


@dataclass(frozen=True, slots=True)
class Letter:
    at: float  # monotonic
    mail: EmailMessage

    @property
    def subject(self) -> str:
        return str(self.mail["Subject"])

    @property
    def text(self) -> str:
        body = self.mail.get_body(("plain",))
        return "" if body is None else str(body.get_content())


class _Stamped(list[EmailMessage]):
    def __init__(self, letters: list[Letter]) -> None:
        super().__init__()
        self._letters = letters

    def append(self, mail: EmailMessage) -> None:
        super().append(mail)
        self._letters.append(Letter(time.monotonic(), mail))


class Post:
    def __init__(self) -> None:
        self.letters: list[Letter] = []
        self.port = 0
        self._ready = threading.Event()
        self._loop = asyncio.new_event_loop()
        self._end = asyncio.Event()
        self._thread = threading.Thread(target=self._loop.run_until_complete, args=(self._serve(),), daemon=True)

    @property
    def channel(self) -> dict[str, object]:
        """The fields of an e-mail channel that sends here."""
        return {
            "recipients": ["ops@x.test"],
            "sender": "hub@x.test",
            "host": "127.0.0.1",
            "port": self.port,
            "security": "none",
        }

    async def _serve(self) -> None:
        async with mail_server() as box:
            self._keep(box)
            self._ready.set()
            await self._end.wait()

    def _keep(self, box: Mailbox) -> None:
        box.mails = _Stamped(self.letters)
        self.port = box.port

    @contextlib.contextmanager
    def open(self) -> Iterator["Post"]:
        self._thread.start()
        self._ready.wait()
        try:
            yield self
        finally:
            self._loop.call_soon_threadsafe(self._end.set)
            self._thread.join()
            self._loop.close()
