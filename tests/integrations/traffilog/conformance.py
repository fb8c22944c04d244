"""Fleet commands' part of the suite that all integrations run through."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

from atalaia.integrations.traffilog import integration
from atalaia_simulators.traffilog import InThread, Options
from tests.acceptance.calls import Client
from tests.contract.integrations.bench import Subject

GUID = "0123ABCD-4567-89AB-CDEF-0123456789AB"
PASSWORD = "canary-password-of-the-fleet"
NAME = "canary-name-of-the-fleet"
# No pauses of its own; and it waits for longer than a busy machine stands still.
QUICK = {
    "pause_s": 0,
    "review_pause_s": 0,
    "review_wait_s": 0.05,
    "answer_s": 20,
    "resubscribe_s": 0.5,
    "silent_s": 20,
    "silent_limit_s": 30,
    "whole_s": 40,
}
VEHICLE = {"clientId": "7", "clientName": "Frota", "vehicleId": "45"}


class Fleet:
    def __init__(self, simulator: InThread) -> None:
        self._simulator = simulator
        self.port = urlsplit(simulator.url).port or 0

    @property
    def secrets(self) -> Sequence[str]:
        return (PASSWORD,)

    def settings(self, port: int) -> Mapping[str, Any]:
        return {
            "login_url": f"http://127.0.0.1:{port}/appengine_3/{GUID}/1/json",
            "ws_url": f"ws://127.0.0.1:{port}",
            "login_name": NAME,
            "password": PASSWORD,
            "app_guid": GUID,
            **QUICK,
        }

    def expire(self) -> None:
        self._faults({"token_expired": True})

    def change_shape(self) -> None:
        """The login has no token in it, and is needed at once."""
        self._faults({"token_expired": True, "short_token": True})

    def _faults(self, wanted: Mapping[str, Any]) -> None:
        client = Client(self._simulator.url)
        assert client.post("/_sim/faults", wanted).status == 200


@contextmanager
def simulate() -> Iterator[Fleet]:
    simulator = InThread(Options(login_name=NAME, password=PASSWORD, progress_step=50, progress_interval_s=0.05))
    simulator.start()
    try:
        yield Fleet(simulator)
    finally:
        simulator.close()


SUBJECT = Subject(
    integration=integration,
    simulate=simulate,
    jobs=(
        ("scheme_builder", {**VEHICLE, "vehicleSettingId": "9", "comment": "suite"}),
        ("verify_scheme", {"clientId": "7", "vehicleId": "45", "vehicleSettingId": "9"}),
    ),
)
