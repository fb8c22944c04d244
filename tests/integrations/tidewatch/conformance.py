"""The example's part of the suite that all integrations run through."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from tests.contract.integrations.bench import Subject
from tests.integrations.tidewatch.server import API_KEY, TideServer
from tests.integrations.tidewatch.source import integration


class Tides:
    def __init__(self, server: TideServer) -> None:
        self._server = server
        self.port = server.port

    @property
    def secrets(self) -> Sequence[str]:
        return (API_KEY, "canary-token")

    def settings(self, port: int) -> Mapping[str, Any]:
        return {"url": f"http://127.0.0.1:{port}", "api_key": API_KEY}

    def expire(self) -> None:
        self._server.expire()

    def change_shape(self) -> None:
        self._server.faults.add("shape")


@contextmanager
def simulate() -> Iterator[Tides]:
    server = TideServer()
    try:
        yield Tides(server)
    finally:
        server.stop()


SUBJECT = Subject(
    integration=integration,
    simulate=simulate,
    jobs=(("tide_gauge", {"station": "north"}), ("tide_gate", {"order": "o1", "position": 10})),
)
