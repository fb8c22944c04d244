"""What a call to the exchange may fail with. The engine decides on money by these four, and by BadPayload."""

from datetime import datetime
from typing import Any

from atalaia.sdk.failures import PermanentFailure, TemporaryFailure


class NotDone(TemporaryFailure):
    """Surely not executed, and may be tried again: no connection, breaker open, overloaded (−1008), not available."""

    code = "exchange_not_done"

    def __init__(self, message: str, *, exchange_code: int | None = None, **params: Any) -> None:
        params["may_have_arrived"] = False
        super().__init__(message, **params)
        self.exchange_code = exchange_code


class OutcomeUnknown(TemporaryFailure):
    """It may have been executed: ask (`find`, the position) before anything else is done.

    Until `settles_at` (by the exchange's clock) a request that is still on its way may yet be taken: only from then on is
    "no such order" a proof. None where nothing was sent that could change anything.
    """

    code = "exchange_outcome_unknown"

    def __init__(
        self, message: str, *, exchange_code: int | None = None, settles_at: datetime | None = None, **params: Any
    ) -> None:
        super().__init__(message, **params)
        self.exchange_code = exchange_code
        self.settles_at = settles_at


class Limited(TemporaryFailure):
    """Too many requests (−1003, 429), or a ban (418); surely not executed. `retry_after_s` is always there."""

    code = "exchange_limited"
    retry_after_s: float

    def __init__(
        self,
        message: str,
        *,
        retry_after_s: float,
        is_ban: bool = False,
        exchange_code: int | None = None,
        **params: Any,
    ) -> None:
        params["may_have_arrived"] = False
        super().__init__(message, retry_after_s=retry_after_s, **params)
        self.is_ban = is_ban
        self.exchange_code = exchange_code


class Refused(PermanentFailure):
    """The exchange's no; surely not executed. `exchange_code` is its own, negative; 0 where it gave none.

    `exchange_words` is its message, for people.
    """

    code = "exchange_refused"

    def __init__(self, message: str, *, exchange_code: int, exchange_words: str = "", **params: Any) -> None:
        super().__init__(message, **params)
        self.exchange_code = exchange_code
        self.exchange_words = exchange_words


class ClockSkew(PermanentFailure):
    """−1021: our time is not the exchange's. It stays inside: the client asks for the time, and sends once more."""

    code = "exchange_clock_skew"
