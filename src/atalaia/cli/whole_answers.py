"""A short answer in one piece: its head and its body leave in one write, past the checks of what a stranger might send.

The server's own way is a write for the head and one for the body, and each of them is a packet: the second write costs as much as
reading the request. Only what `web.answers` makes goes this way; whatever is unusual (a stream, HEAD, a line that closes or is full)
goes the server's.
"""

from typing import Any, Final

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, RequestResponseCycle

from atalaia.web.answers import JSON, TEXT

_START: Final = "http.response.start"
_KIND_LINES: Final = {kind: b"%b: %b\r\n" % kind for kind in (JSON, TEXT)}


class WholeAnswer:
    """Takes what is sent on one request."""

    __slots__ = ("_cycle", "_head", "_send")

    def __init__(self, cycle: RequestResponseCycle) -> None:
        self._cycle = cycle
        self._send = cycle.send
        self._head: Any = None

    async def send(self, message: Any) -> None:
        head = self._head
        if head is None:
            if message["type"] == _START and _is_plain(message["headers"]):
                self._head = message
            else:
                await self._send(message)
            return
        self._head = None
        if message.get("more_body") or not self._may_be_whole(head, message):
            await self._send(head)
            await self._send(message)
            return
        self._write(head, message["body"])

    def _may_be_whole(self, head: Any, message: Any) -> bool:
        cycle = self._cycle
        is_usual = cycle.keep_alive and not (cycle.response_started or cycle.disconnected or cycle.access_log)
        if not is_usual or cycle.flow.write_paused or cycle.scope["method"] == "HEAD":
            return False
        return int(head["headers"][1][1]) == len(message.get("body", b""))

    def _write(self, head: Any, body: bytes) -> None:
        cycle = self._cycle
        (kind, (_, length)) = head["headers"]
        lines = [STATUS_LINE[head["status"]], *(b"%b: %b\r\n" % each for each in cycle.default_headers)]
        lines += (_KIND_LINES[kind], b"content-length: ", length, b"\r\n\r\n", body)
        cycle.response_started = cycle.response_complete = True
        cycle.waiting_for_100_continue = False
        cycle.transport.write(b"".join(lines))
        cycle.message_event.set()
        cycle.on_response()


def _is_plain(headers: Any) -> bool:
    """The kind and the length, and no more."""
    return len(headers) == 2 and headers[0] in _KIND_LINES and headers[1][0] == b"content-length"  # noqa: PLR2004
