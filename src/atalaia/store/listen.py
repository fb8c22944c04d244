"""Between hubs on one PostgreSQL: LISTEN/NOTIFY carries what was published."""

import selectors
import socket
import threading
from collections.abc import Sequence

import msgspec
import psycopg
import structlog
from sqlalchemy import text
from sqlalchemy.engine import Connection

from atalaia.core.ids import new_id
from atalaia.store.engine import POSTGRESQL_LINE
from atalaia.store.live import Live

CHANNEL = "atalaia_live"
RETRY_S = 2.0
CLOSE_S = 3.0
MAX_PAYLOAD_BYTES = 7900  # PostgreSQL's own limit is 8000

log = structlog.get_logger()


class Listener:
    """A thread with a connection of its own; a lost connection is made again, what was missed is missed."""

    def __init__(self, url: str, live: Live) -> None:
        self._url = url
        self._live = live
        self._hub = new_id()
        self._stop = threading.Event()
        self._is_lost = False
        self._waker, self._woken = socket.socketpair()
        self._thread = threading.Thread(target=self._run, name="store-listen", daemon=True)
        self._thread.start()

    def notify(self, connection: Connection, topics: Sequence[tuple[str, str]]) -> None:
        """Send in the transaction: PostgreSQL delivers after its commit. To the sender too, which has told its own by then."""
        payload = msgspec.json.encode((self._hub, topics))
        if len(payload) > MAX_PAYLOAD_BYTES:
            payload = msgspec.json.encode((self._hub, sorted({(topic, "") for topic, _ in topics})))
        parameters = {"channel": CHANNEL, "payload": payload.decode()}
        connection.execute(text("SELECT pg_notify(:channel, :payload)"), parameters)

    def close(self) -> None:
        self._stop.set()
        self._waker.close()  # ends the wait for news at once
        self._thread.join(CLOSE_S)
        self._woken.close()

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                self._listen()
            except psycopg.Error as error:
                if not self._is_lost:  # once, not each second of a night
                    log.warning("listen_lost", reason=str(error).strip())
                self._is_lost = True
                self._stop.wait(RETRY_S)
            except Exception:
                if self._stop.is_set():  # closed under our hands
                    return
                # Whatever it is: a hub that hears nothing of the others goes on for days without anybody seeing it.
                log.exception("listen_broke")
                self._is_lost = True
                self._stop.wait(RETRY_S)

    def _listen(self) -> None:
        with (
            psycopg.connect(self._url, autocommit=True, **POSTGRESQL_LINE) as connection,
            selectors.DefaultSelector() as selector,
        ):
            selector.register(connection, selectors.EVENT_READ)
            selector.register(self._woken, selectors.EVENT_READ)
            connection.execute(f"LISTEN {CHANNEL}")
            if self._is_lost:
                log.warning("listening_again")
            self._is_lost = False
            while not self._stop.is_set():
                for note in connection.notifies(timeout=0):
                    self._take(note.payload)
                selector.select()

    def _take(self, payload: str) -> None:
        try:
            hub, topics = msgspec.json.decode(payload, type=tuple[str, list[tuple[str, str]]])
        except msgspec.DecodeError:  # of another version, or of somebody else on this channel
            log.warning("note_unreadable", size_bytes=len(payload))
            return
        if hub != self._hub:
            for topic, id_ in topics:
                self._live.publish(topic, id_)
