"""How the signals went, and the line that says it."""

from __future__ import annotations

from atalaia_agent.signal_words import Words

# Asked and answered: a run began, one is running, or it was too soon. All three mean that somebody is there.
_THROTTLED = 429


def is_answered(status: int) -> bool:
    return 200 <= status < 300 or status == _THROTTLED  # noqa: PLR2004 - the class of success


class Statistics:
    def __init__(self) -> None:
        self.succeeded = 0
        self.failed = 0
        self.last_status: int | None = None
        """None: there was no answer."""

    @property
    def sent(self) -> int:
        return self.succeeded + self.failed

    def count(self, status: int | None) -> bool:
        """Whether the signal was answered as it should be."""
        self.last_status = status
        is_good = status is not None and is_answered(status)
        if is_good:
            self.succeeded += 1
        else:
            self.failed += 1
        return is_good

    def labelled(self, words: Words, uptime_s: float) -> str:
        no_answer = words.no_answer if self.sent else "-"
        pairs = zip(words.labels, self._values(words, uptime_s, no_answer), strict=True)
        return " | ".join(f"{label}: {value}" for label, value in pairs)

    def short(self, words: Words, uptime_s: float) -> str:
        return " | ".join(self._values(words, uptime_s, "-"))

    def _values(self, words: Words, uptime_s: float, no_answer: str) -> list[str]:
        """In the order of the labels."""
        status = no_answer if self.last_status is None else str(self.last_status)
        rate = _rate(self.succeeded, self.sent).replace(".", words.decimal_sign)
        return [_uptime(uptime_s), str(self.sent), str(self.succeeded), str(self.failed), rate, status]


def _rate(part: int, whole: int) -> str:
    """Cut, not rounded: 100% is said only when it is all of them."""
    if not whole:
        return "-"
    hundredths = part * 10_000 // whole
    return f"{hundredths // 100}%" if hundredths % 100 == 0 else f"{hundredths / 100:.2f}%"


def _uptime(seconds: float) -> str:
    minutes = int(seconds + 0.5) // 60
    return f"{minutes // 1_440}d {minutes // 60 % 24:02d}:{minutes % 60:02d}"
