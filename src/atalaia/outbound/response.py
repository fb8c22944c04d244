"""An answer, and which of the four failures a status stands for."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Any

import msgspec

from atalaia.outbound.retry import parse_retry_after_s
from atalaia.sdk.failures import AuthExpired, BadPayload, PermanentFailure, TemporaryFailure

# 4xx that say "not now" and not "never".
_PASSING = frozenset(
    {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.LOCKED, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS}
)


@dataclass(frozen=True, slots=True)
class Response:
    """`headers` are looked up whatever their case; `duration_s` is from the call to the last byte kept."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    url: str
    duration_s: float
    is_cut: bool = False

    @property
    def is_success(self) -> bool:
        return 200 <= self.status < 300  # noqa: PLR2004  the class of statuses, RFC 9110

    def json(self) -> Any:
        """Raises: BadPayload."""
        try:
            return msgspec.json.decode(self.body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:  # also no UTF-8, or all brackets
            raise BadPayload("The answer is not JSON.") from error

    def text(self) -> str:
        return self.body.decode("utf-8", errors="replace")


def raise_for_status(response: Response, *, now: datetime) -> None:
    """Raises: TemporaryFailure, AuthExpired, PermanentFailure."""
    status = response.status
    if response.is_success:
        return
    message = "The other side answered {status}."
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR or status in _PASSING:
        wait_s = parse_retry_after_s(response.headers.get("Retry-After"), now=now)
        raise TemporaryFailure(message, retry_after_s=wait_s, status=status)
    if status == HTTPStatus.UNAUTHORIZED:
        raise AuthExpired(message, status=status)
    raise PermanentFailure(message, status=status)
