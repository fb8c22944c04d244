"""The live connection, where the account has one: a doorbell. What changed is not in its messages for sure, so the lists are read.

By the leader alone: the loop says every second that it still leads, and a connection that is not looked after closes itself.
"""

import asyncio
from collections.abc import Callable
from typing import Final
from urllib.parse import urlsplit

import structlog

from atalaia.core.errors import AtalaiaError
from atalaia.core.translations import N_
from atalaia.integrations.cvepro.cloud.offered import Offered
from atalaia.integrations.cvepro.cloud.reading import Reading
from atalaia.integrations.cvepro.cloud.stomp import BEAT, PROTOCOL, Frame, Frames, beats, encode
from atalaia.integrations.cvepro.manifest import LIVE as UPSTREAM
from atalaia.integrations.cvepro.manifest import NAME, is_configured
from atalaia.integrations.cvepro.model.feeds import LIVE, Feed
from atalaia.integrations.cvepro.queries.chargers import feed
from atalaia.outbound.retry import full_jitter_s
from atalaia.sdk.contribution import Loop
from atalaia.sdk.failures import AuthExpired, TemporaryFailure
from atalaia.sdk.integration import Host
from atalaia.sdk.upstreams import Frames as Socket
from atalaia.sdk.upstreams import Token

PERIOD_S: Final = 1.0
_UNWATCHED_S: Final = 10.0  # without a look for so long another hub leads
_FIRST_PAUSE_S: Final = 1.0
_LONGEST_PAUSE_S: Final = 60.0
_ANSWER_S: Final = 10.0
_BEAT_MS: Final = 10_000
_SILENT_BEATS: Final = 3
_REFUSED_WITHIN: Final = 3  # times that something is heard, or nothing for a second
_STEADY_S: Final = 30.0
_SIGNED_OUT: Final = ("token", "unauthor", "unauthenticated", "não autorizado", "session", "sessão", "denied")

log = structlog.get_logger()


class Live:
    """`is_cloud_well`: whether the lists can be read at all; while they can't, a lost connection is no trouble of its own."""

    def __init__(
        self,
        host: Host,
        reading: Reading,
        offered: Offered,
        *,
        ring: Callable[[], None],
        is_cloud_well: Callable[[], bool],
    ) -> None:
        self._host = host
        self._reading = reading
        self._offered = offered
        self._ring = ring
        self._is_cloud_well = is_cloud_well
        self._task: asyncio.Task[None] | None = None
        self._asked: tuple[str, str] | None = None
        self._feed: Feed | None = None
        self._is_told = False
        self._watched_at = 0.0  # monotonic
        self._rejected: int | None = None  # the generation of a token that was refused there

    def loop(self) -> Loop:
        return Loop("cvepro_live", PERIOD_S, self.look)

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None

    async def look(self) -> None:
        self._watched_at = self._host.clock.monotonic()
        if self._feed is None:
            self._feed = await self._host.read(lambda tx: feed(tx, LIVE))
        wanted = self._wanted()
        if wanted != self._asked or (wanted is not None and (self._task is None or self._task.done())):
            await self._begin(wanted)
        if wanted is not None:
            await self._judge()

    def _wanted(self) -> tuple[str, str] | None:
        """The address and what is subscribed to; None where there is nothing to connect to."""
        if not is_configured(self._host.setting):
            return None
        url, destination = (str(self._host.setting(name)).strip() for name in ("live_url", "live_destination"))
        return (url, destination) if url and destination else None

    async def _begin(self, wanted: tuple[str, str] | None) -> None:
        """What a task raised that is no failure of the line's is raised here, for the supervisor."""
        if self._task is not None and self._task.done():
            task, self._task = self._task, None
            await task
        await self.stop()
        self._asked = wanted
        if wanted is not None:
            self._task = asyncio.create_task(self._keep_up(*wanted), name="cvepro live")
        elif self._feed != Feed(name=LIVE):
            self._feed, self._is_told = await self._offered.forget(LIVE), False

    async def _judge(self) -> None:
        after_s, now = float(self._host.setting("alert_after_s")), self._host.clock.now()
        if self._feed is None or self._is_told or not self._is_cloud_well():
            return
        if self._feed.is_outage(now=now, after_s=after_s):
            await self._reading.judge(LIVE)
            self._is_told = True

    async def _keep_up(self, url: str, destination: str) -> None:
        failures = 0
        while self._is_watched():
            began = self._host.clock.monotonic()
            try:
                await self._listen(url, destination)
            except AtalaiaError as error:
                if self._feed is None or not self._feed.is_stale:
                    log.warning("cvepro_live_lost", reason=str(error))
                self._feed = await self._reading.failed(LIVE, error)
            failures = 1 if self._host.clock.monotonic() - began > _STEADY_S else failures + 1
            await asyncio.sleep(full_jitter_s(failures, base_s=_FIRST_PAUSE_S, cap_s=_LONGEST_PAUSE_S))

    async def _listen(self, url: str, destination: str) -> None:
        """Until the line breaks or nobody looks any more. Raises: AtalaiaError: it broke, or was refused."""
        token = await self._host.upstream(NAME).token(rejected_generation=self._rejected)
        self._rejected = None
        headers = {"Authorization": token.value.reveal(), "Sec-WebSocket-Protocol": PROTOCOL}
        try:
            async with self._host.upstream(UPSTREAM).socket("live", url, headers=headers) as socket:
                line = Line(socket, self._host.clock.monotonic)
                await line.subscribe(urlsplit(url).hostname or "", token, destination)
                await self._note_up()
                while self._is_watched():
                    if await line.is_rung():
                        self._ring()
        except AuthExpired:
            self._rejected = token.generation
            raise

    async def _note_up(self) -> None:
        """What changed while nobody listened is read at once."""
        if self._feed is None or not self._feed.is_well:
            log.info("cvepro_live_up")
        self._feed, self._is_told = await self._reading.went_well(LIVE), False
        self._ring()

    def _is_watched(self) -> bool:
        return self._host.clock.monotonic() - self._watched_at < _UNWATCHED_S


class Line:
    """One connection: `monotonic` counts its beats."""

    def __init__(self, socket: Socket, monotonic: Callable[[], float]) -> None:
        self._socket = socket
        self._monotonic = monotonic
        self._frames = Frames()
        self._ours_s: float | None = None
        self._theirs_s: float | None = None
        self._sent_at = self._heard_at = monotonic()

    async def subscribe(self, host: str, token: Token, destination: str) -> None:
        """Raises: TemporaryFailure, AuthExpired, BadFrame."""
        headers = {"accept-version": "1.2", "host": host, "heart-beat": f"{_BEAT_MS},{_BEAT_MS}"}
        await self._send(encode(Frame("CONNECT", {**headers, "Authorization": token.value.reveal()})))
        connected = await self._first()
        self._ours_s, self._theirs_s = beats(connected.headers.get("heart-beat"), wish_ms=_BEAT_MS)
        wanted = {"id": "0", "destination": destination, "ack": "auto", "receipt": "0"}
        await self._send(encode(Frame("SUBSCRIBE", wanted)))
        await self._until_taken()

    async def is_rung(self) -> bool:
        """Within a second or so. Raises: as `subscribe`."""
        if self._ours_s is not None and self._monotonic() - self._sent_at >= self._ours_s * 0.9:
            await self._send(BEAT)
        found = [frame.command for frame in await self._hear(PERIOD_S)]
        silent_s = self._monotonic() - self._heard_at
        if self._theirs_s is not None and silent_s > max(self._theirs_s * _SILENT_BEATS, PERIOD_S * _SILENT_BEATS):
            raise TemporaryFailure(
                N_("Nothing came over the live connection for {seconds} s."), seconds=round(silent_s)
            )
        return "MESSAGE" in found

    async def _until_taken(self) -> None:
        """Who refuses what is subscribed to says so after a moment; not everybody who takes it sends the receipt."""
        for _ in range(_REFUSED_WITHIN):
            if any(frame.command in {"RECEIPT", "MESSAGE"} for frame in await self._hear(PERIOD_S)):
                return

    async def _first(self) -> Frame:
        until = self._monotonic() + _ANSWER_S
        while self._monotonic() < until:
            for frame in await self._hear(PERIOD_S):
                if frame.command == "CONNECTED":
                    return frame
        raise TemporaryFailure(N_("The live connection did not answer within {seconds} s."), seconds=round(_ANSWER_S))

    async def _hear(self, within_s: float) -> list[Frame]:
        text = await self._socket.receive(within_s=within_s)
        if text is None:
            return []
        self._heard_at = self._monotonic()
        found = list(self._frames.feed(text))
        for frame in found:
            if frame.command == "ERROR":
                raise _refusal(frame)
        return found

    async def _send(self, text: str) -> None:
        await self._socket.send(text)
        self._sent_at = self._monotonic()


def _refusal(frame: Frame) -> AtalaiaError:
    why = (frame.headers.get("message") or frame.body)[:200]
    kind = AuthExpired if any(word in why.lower() for word in _SIGNED_OUT) else TemporaryFailure
    return kind(N_("The live connection was refused: {why}"), why=why)
