"""What a call to the outside may fail with; the four kinds tell the host what to do next."""

from typing import Any

from atalaia.core.errors import AtalaiaError


class TemporaryFailure(AtalaiaError):
    """Try again later: no answer, a 5xx, a limit; `retry_after_s` when the other side said how long.

    `may_have_arrived` is false only where the request surely never reached the other side.
    """

    code = "upstream_temporary"

    def __init__(
        self,
        message: str,
        *,
        retry_after_s: float | None = None,
        may_have_arrived: bool = True,
        hint: str | None = None,
        **params: Any,
    ) -> None:
        super().__init__(message, hint=hint, **params)
        self.retry_after_s = retry_after_s
        self.may_have_arrived = may_have_arrived


class AuthExpired(AtalaiaError):
    """The other side does not know our token any more: log in once, repeat once."""

    code = "upstream_auth_expired"


class PermanentFailure(AtalaiaError):
    """The same request will never succeed."""

    code = "upstream_permanent"


class NoSuchAddress(PermanentFailure):
    """There is nobody at the address that a message was for; the same message to another may arrive."""

    code = "no_such_address"


class BadPayload(AtalaiaError):
    """An answer that can't be understood, or is larger than allowed."""

    code = "upstream_bad_payload"
