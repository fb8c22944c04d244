"""The vendor's cloud over HTTP: its lists, as they came."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from email.utils import parsedate_to_datetime
from typing import Any, Final, Protocol
from urllib.parse import urlencode

import msgspec

from atalaia.core.translations import N_
from atalaia.integrations.cvepro.cloud.login import address, authorize
from atalaia.integrations.cvepro.cloud.translate import CHARGERS, SESSIONS, SESSIONS_COUNT, zone_of
from atalaia.integrations.cvepro.manifest import NAME
from atalaia.sdk.failures import AuthExpired, BadPayload, TemporaryFailure
from atalaia.sdk.upstreams import Answer, Upstream

_LONGEST_ERROR: Final = 200
_SIGNED_OUT: Final = ("token", "unauthorized", "unauthenticated", "não autorizado", "session", "sessão")


class ShapeChanged(BadPayload):
    """The list itself is not where it was: `path` names it."""

    code = "cvepro_shape_changed"

    def __init__(self, path: str) -> None:
        super().__init__(N_("The answer has no {path} any more."), path=path)
        self.path = path


class Ground(Protocol):
    """What of sdk.integration.Host is needed here."""

    def setting(self, name: str) -> Any: ...

    def upstream(self, name: str, account: str = "default") -> Upstream: ...


@dataclass(frozen=True, slots=True)
class Listed:
    """`clock_at`: what the cloud's own clock says, where it says it. `missing`: so many more there are, by the list's `count`."""

    items: Sequence[Any]
    clock_at: datetime | None
    missing: int = 0


class Cloud:
    def __init__(self, ground: Ground) -> None:
        self._ground = ground

    @property
    def zone(self) -> tzinfo:
        """Of the times that name none."""
        return zone_of(float(self._ground.setting("utc_offset_h")))

    async def chargers(self) -> Listed:
        """Raises: TemporaryFailure, AuthExpired, PermanentFailure, BadPayload (ShapeChanged)."""
        return await self._list("chargers", "chargepoints", CHARGERS)

    async def sessions(self, first: date, last: date) -> Listed:
        """Those that began on these local days, both included; a list that is cut is asked for by fewer days.

        Raises: as `chargers`.
        """
        listed = await self._sessions(first, last)
        if not listed.missing or first >= last or SESSIONS_COUNT in self._ground.setting("absent_fields"):
            return listed
        middle = first + (last - first) // 2
        halves = [await self.sessions(*days) for days in ((first, middle), (middle + timedelta(days=1), last))]
        items = [item for half in halves for item in half.items]
        return Listed(items, listed.clock_at, sum(half.missing for half in halves))

    async def _sessions(self, first: date, last: date) -> Listed:
        span = {"fromDate": f"{first.isoformat()} 00:00:00", "toDate": f"{last.isoformat()} 23:59:59"}
        return await self._list("sessions", f"transaction?{urlencode(span)}", SESSIONS)

    async def offered(self, operation: str, path: str) -> Listed:
        """A list that an account may offer, wherever in the answer it is. Raises: as `chargers`."""
        answer = await self._get(operation, path.strip().strip("/"))
        items = _only_list(_json(answer.body))
        if items is None:
            raise ShapeChanged(f"{operation}[]")
        return Listed(items, _clock_of(answer))

    async def _list(self, operation: str, path: str, name: str) -> Listed:
        answer = await self._get(operation, path)
        found = _decoded(answer.body)
        items = found.get(name)
        if not isinstance(items, list):
            raise ShapeChanged(name)
        return Listed(items, _clock_of(answer), _missing(found.get("count"), items))

    async def _get(self, operation: str, path: str) -> Answer:
        return await self._ground.upstream(NAME).call(
            operation,
            "GET",
            address(self._ground.setting("base_url"), path),
            is_repeatable=True,
            authorize=authorize,
            judge=_judge,
        )


def _judge(answer: Answer) -> None:
    """`error` may be set on a 200, also where the token is not known any more. Raises: AuthExpired, TemporaryFailure."""
    if answer.status != 200:  # noqa: PLR2004 - judged by its status
        return
    found = _json(answer.body)
    why = found.get("error") if isinstance(found, dict) else None
    if not why:
        return
    text = str(why)[:_LONGEST_ERROR]
    if any(word in text.lower() for word in _SIGNED_OUT):
        raise AuthExpired(N_("The cloud answered with an error: {why}"), why=text)
    raise TemporaryFailure(N_("The cloud answered with an error: {why}"), why=text)


def _json(body: bytes) -> Any:
    """Raises: BadPayload."""
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadPayload(N_("The cloud's answer is not JSON.")) from error


def _only_list(found: Any) -> Sequence[Any] | None:
    """The answer itself, or the one list in it."""
    if isinstance(found, list):
        return found
    lists = [each for each in found.values() if isinstance(each, list)] if isinstance(found, dict) else []
    return lists[0] if len(lists) == 1 else None


def _decoded(body: bytes) -> dict[str, Any]:
    """Raises: BadPayload."""
    found = _json(body)
    if not isinstance(found, dict):
        raise BadPayload(N_("The cloud's answer can't be read."))
    return found


def _missing(count: Any, items: Sequence[Any]) -> int:
    is_number = isinstance(count, int) and not isinstance(count, bool)
    return max(0, count - len(items)) if is_number else 0


def _clock_of(answer: Answer) -> datetime | None:
    try:
        return parsedate_to_datetime(answer.headers.get("Date", "")).astimezone(UTC)
    except (ValueError, TypeError, OverflowError):
        return None
