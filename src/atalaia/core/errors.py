"""What can go wrong, in words for the reader.

Every error has a stable `code` for scripts, a `message` (English, a key of the translations) and perhaps a `hint` that
says what to do next. The status is mapped once, in web.errors.
"""

from collections.abc import Mapping
from typing import Any


class AtalaiaError(Exception):
    """An expected failure; its text may be shown to the one who asked."""

    code = "error"

    def __init__(self, message: str, *, code: str | None = None, hint: str | None = None, **params: Any) -> None:
        super().__init__(message.format(**params) if params else message)
        self.message = message
        self.hint = hint
        self.params: Mapping[str, Any] = params
        if code is not None:
            self.code = code


class BadInput(AtalaiaError):
    """A request whose form is wrong: not JSON, a bad line, a bad address."""

    code = "bad_input"


class InvalidField(AtalaiaError):
    """A well-formed request with a wrong value; names the field."""

    code = "invalid_field"

    def __init__(self, field: str, message: str, *, hint: str | None = None, **params: Any) -> None:
        super().__init__(message, hint=hint, **params)
        self.field = field


class InvalidFields(InvalidField):
    """Several wrong fields at once: `fields` says of each what is wrong; `field` is the first."""

    def __init__(self, fields: Mapping[str, str], message: str, *, hint: str | None = None, **params: Any) -> None:
        super().__init__(next(iter(fields)), message, hint=hint, names=", ".join(fields), **params)
        self.fields = dict(fields)


class Unauthenticated(AtalaiaError):
    code = "unauthenticated"


class Forbidden(AtalaiaError):
    code = "forbidden"


class NotFound(AtalaiaError):
    code = "not_found"


class Conflict(AtalaiaError):
    code = "conflict"


class Gone(AtalaiaError):
    code = "gone"


class TooLarge(AtalaiaError):
    code = "too_large"


class UnsupportedMedia(AtalaiaError):
    code = "unsupported_media_type"


class TooManyRequests(AtalaiaError):
    code = "too_many_requests"

    def __init__(self, message: str, *, retry_after_s: float, hint: str | None = None, **params: Any) -> None:
        super().__init__(message, hint=hint, **params)
        self.retry_after_s = retry_after_s


class Overloaded(AtalaiaError):
    code = "overloaded"

    def __init__(self, message: str, *, retry_after_s: float = 1, hint: str | None = None, **params: Any) -> None:
        super().__init__(message, hint=hint, **params)
        self.retry_after_s = retry_after_s


class StoreFull(AtalaiaError):
    """The disk, or the database's own limit, is used up: writes are refused, reads go on."""

    code = "store_full"


class StoreUnavailable(AtalaiaError):
    code = "store_unavailable"


class TargetRefused(AtalaiaError):
    """An address that the hub must not reach (see outbound.guard)."""

    code = "target_refused"


class ConfigError(AtalaiaError):
    """Settings, files or a database that the hub can't start with."""

    code = "config"
