"""Steps as they are recorded: secrets out, and no larger than a lease may carry."""

import time
from collections.abc import Mapping
from typing import Any, Final, Protocol

import msgspec

from atalaia.core.redaction import redact
from atalaia.sdk.jobs import StepRecord, StepState

MAX_DATA_BYTES: Final = 65_536
# Room for what a cut value is marked with.
_KEPT_CHARS: Final = 2_000
_MAX_NAME: Final = 200


class Line(Protocol):
    """Where a run's steps go: over the network in a worker, to the service in the hub."""

    def note(self, step: StepRecord) -> None:
        """Send it soon; never waits."""

    async def commit(self, step: StepRecord) -> None:
        """Come back once the hub has kept it, with the lease still ours.

        Raises:
            TemporaryFailure: it can't be proved that it has.
        """


class OpenStep:
    """See sdk.jobs.Step."""

    def __init__(self, line: Line, n: int, name: str, data: Mapping[str, Any], *, state: StepState) -> None:
        self.n = n
        self._line = line
        self._name = name[:_MAX_NAME]
        self._data = dict(data)
        self._state: StepState = state
        self._began_s = time.monotonic()

    async def note(self, **data: Any) -> None:
        self._data |= data
        self._line.note(self.record())

    def end(self, state: StepState, **data: Any) -> None:
        self._data |= data
        self._state = state
        self._line.note(self.record())

    def record(self) -> StepRecord:
        took_ms = round((time.monotonic() - self._began_s) * 1000)
        return StepRecord(self.n, self._name, self._state, fitting(self._data), took_ms=took_ms)


def fitting(data: Mapping[str, Any]) -> dict[str, Any]:
    """Redacted, as JSON can hold it, and within MAX_DATA_BYTES: long texts are cut, and then whatever is largest left away."""
    clean: dict[str, Any] = redact(msgspec.to_builtins(dict(data), str_keys=True))
    if _size(clean) <= MAX_DATA_BYTES:
        return clean
    kept = {key: _cut(value) for key, value in clean.items()}
    while _size(kept) > MAX_DATA_BYTES:
        largest = max(kept, key=lambda key: _size(kept[key]))
        del kept[largest]
        kept["left_away"] = [*kept.get("left_away", []), largest[:_MAX_NAME]]
    return kept


def _cut(value: Any) -> Any:
    if isinstance(value, str) and len(value) > _KEPT_CHARS:
        return f"{value[:_KEPT_CHARS]}… ({len(value)} characters)"
    if isinstance(value, dict):
        return {key: _cut(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_cut(item) for item in value]
    return value


def _size(value: Any) -> int:
    return len(msgspec.json.encode(value))
