"""Errors to answers: the one place where a code gets a status, and where a stack trace stops."""

from dataclasses import dataclass
from typing import Any

import msgspec
import structlog
from litestar.exceptions import HTTPException, ValidationException

from atalaia.core import errors
from atalaia.core.translations import N_, Translator
from atalaia.sdk import failures
from atalaia.store.engine import is_refused_value

log = structlog.get_logger()

STATUS: dict[type[errors.AtalaiaError], int] = {
    errors.BadInput: 400,
    errors.Unauthenticated: 401,
    errors.Forbidden: 403,
    errors.TargetRefused: 422,
    errors.NotFound: 404,
    errors.Conflict: 409,
    errors.Gone: 410,
    errors.TooLarge: 413,
    errors.UnsupportedMedia: 415,
    errors.InvalidField: 422,
    errors.TooManyRequests: 429,
    errors.Overloaded: 503,
    errors.StoreUnavailable: 503,
    errors.StoreFull: 507,
    errors.ConfigError: 500,
    failures.TemporaryFailure: 503,
    failures.AuthExpired: 502,
    failures.PermanentFailure: 502,
    failures.NoSuchAddress: 502,
    failures.BadPayload: 502,
}
_FRAMEWORK_CODES = {
    400: "bad_input",
    401: "unauthenticated",
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    413: "too_large",
    415: "unsupported_media_type",
}
_FRAMEWORK_MESSAGES = {
    400: N_("the request can't be read"),
    404: N_("there is nothing here"),
    405: N_("this address doesn't take that method"),
    413: N_("the body is too large"),
    415: N_("this content type isn't taken here"),
}


@dataclass(frozen=True, slots=True)
class Answer:
    """An error as it goes out."""

    status: int
    code: str
    message: str
    hint: str | None = None
    field: str | None = None
    retry_after_s: float | None = None
    fields: dict[str, str] | None = None

    def body(self, request_id: str) -> bytes:
        error: dict[str, Any] = {
            "code": self.code,
            "message": self.message,
            "hint": self.hint,
            "request_id": request_id,
        }
        if self.field is not None:
            error["field"] = self.field
        if self.fields is not None:
            error["fields"] = self.fields
        return msgspec.json.encode({"error": error})


def status_of(error: errors.AtalaiaError) -> int:
    for kind in type(error).__mro__:
        if kind in STATUS:
            return STATUS[kind]
    return 500


def answer_to(error: BaseException, translator: Translator) -> Answer:
    """What the reader is told. An unexpected error is logged with its trace, and told as such without a word of it."""
    translate = translator.translate
    if isinstance(error, errors.AtalaiaError):
        return Answer(
            status_of(error),
            error.code,
            translate(error.message, **error.params),
            translate(error.hint) if error.hint else None,
            getattr(error, "field", None),
            getattr(error, "retry_after_s", None) or (5 if isinstance(error, errors.StoreUnavailable) else None),
            _fields(error, translator),
        )
    if isinstance(error, ValidationException):
        return _of_validation(error, translator)
    if isinstance(error, msgspec.ValidationError):
        return _of_message(str(error), translator)
    if isinstance(error, HTTPException) and isinstance(error.__cause__, msgspec.ValidationError):
        # Litestar takes a wrong field of the body for its own mistake where one of its dependencies has that name.
        return _of_message(str(error.__cause__).replace("`$.data.", "`$."), translator)
    if isinstance(error, HTTPException) and error.status_code < 500:  # noqa: PLR2004 - the class of HTTP status
        status = error.status_code
        message = _FRAMEWORK_MESSAGES.get(status, N_("the request was refused"))
        return Answer(status, _FRAMEWORK_CODES.get(status, "refused"), translate(message))
    return _of_the_unexpected(error, translator)


def _of_the_unexpected(error: BaseException, translator: Translator) -> Answer:
    if isinstance(error, RecursionError):
        # A body that is nothing but brackets; nothing of ours goes that deep by itself.
        log.warning("nested_too_deep", exc_info=error)
        return Answer(400, "bad_input", translator.translate(_FRAMEWORK_MESSAGES[400]))
    if is_refused_value(error):
        # Half a character, NUL, a number of more than 64 bits: whoever sent it is told, and the trace says where it came through.
        log.warning("value_refused_by_database", exc_info=error)
        return Answer(400, "bad_input", translator.translate(_FRAMEWORK_MESSAGES[400]))
    log.error("unhandled_error", exc_info=error)
    hint = translator.translate("The log has it under this request's id.")
    return Answer(500, "internal_error", translator.translate("something went wrong here"), hint)


def _fields(error: errors.AtalaiaError, translator: Translator) -> dict[str, str] | None:
    if not isinstance(error, errors.InvalidFields):
        return None
    return {name: translator.translate(why) for name, why in error.fields.items()}


def _of_validation(error: ValidationException, translator: Translator) -> Answer:
    """Litestar's own: a body that isn't JSON is 400, a wrong field or parameter 422 with its name."""
    details = error.extra if isinstance(error.extra, list) else []
    first: dict[str, Any] = details[0] if details and isinstance(details[0], dict) else {}
    if not first:
        return Answer(400, "bad_input", translator.translate("the request can't be read"))
    field = str(first.get("key") or "") or None
    message = str(first.get("message", ""))
    if field in {None, "data"}:  # the whole body: the field is in the message
        return _of_message(message, translator)
    return Answer(422, "invalid_field", _field_words(field, message, translator), field=field)


def _of_message(text: str, translator: Translator) -> Answer:
    """msgspec's: `Expected `int`, got `str` - at `$.interval_s``."""
    reason, _, path = text.partition(" - at `$")
    field = path.rstrip("`").strip(".") or None
    if field is None and "missing required field" in reason:
        field = reason.rpartition("field `")[2].rstrip("`")
    return Answer(422, "invalid_field", _field_words(field, reason, translator), field=field)


def _field_words(field: str | None, reason: str, translator: Translator) -> str:
    if field is None:
        return reason
    return translator.translate("{field}: {reason}", field=field, reason=reason)
