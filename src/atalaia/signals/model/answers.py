"""How a signal is answered. Kept to the byte: the first signallers compare these texts."""

from enum import StrEnum
from typing import Final


class Answer(StrEnum):
    STARTED = "started"
    SKIPPED = "skipped"
    THROTTLED = "throttled"
    REFUSED = "refused"  # 401, 403
    INVALID = "invalid"  # 400, 413
    FAILED = "failed"  # 5xx: no fault of the sender's


# What the sender got through with: it was heard, whatever came of it.
ANSWERED: Final = frozenset({Answer.STARTED, Answer.SKIPPED, Answer.THROTTLED})

STARTED_BODY: Final = b'{"status":"processing","message":"Monitor execution started"}'
SKIPPED_BODY: Final = b'{"status":"skipped","message":"Monitor already running"}'
THROTTLED_BODY: Final = b'{"status":"throttled","message":"Too many requests"}'
UNAUTHORIZED_BODY: Final = b'{"error":"Unauthorized"}'


def answer_of(status: int) -> Answer:
    """What a status counts as."""
    known = {202: Answer.STARTED, 200: Answer.SKIPPED, 429: Answer.THROTTLED, 401: Answer.REFUSED, 403: Answer.REFUSED}
    return known.get(status, Answer.INVALID if status < 500 else Answer.FAILED)  # noqa: PLR2004 - the class of HTTP status
