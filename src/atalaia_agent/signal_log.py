"""What the signaller prints: a line of statistics each minute, and news in between; under 100 KB a day, whatever happens.

1. In the first minutes and once an hour the line has its labels, in between the values alone stand in the same order: with all
   labels each minute it would be 220 KB a day. A terminal is no log and always gets the labels.
2. News is a failure that is another than the last one, and the end of all failure. It may cost what a line a minute leaves of
   the hour's share; what does not fit is said when it does, if it is still so. So a server that changes its mind with every
   signal fills no disk.
"""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock

from atalaia_agent.signal_statistics import Statistics
from atalaia_agent.signal_words import Words

_HOUR_BYTES = 98_000 // 24
_HOUR_S = 3_600.0
_SHORT_LINES = 59
_LABELLED_AT_FIRST = 5
_LABELLED_BYTES = 200
_PREFIX_BYTES = 16


class SignalLog:
    """`say` gets news, `line` the statistics. A line may come from another thread while a signal waits for its answer."""

    def __init__(
        self, words: Words, *, say: Callable[[str], None], line: Callable[[str], None], is_terminal: bool
    ) -> None:
        self._lock = Lock()
        self._words = words
        self._say = say
        self._line = line
        self._is_terminal = is_terminal
        self._lines = 0
        self._line_bytes = 0
        self._line_hour = self._news_hour = 0
        self._news_bytes = 0
        self._said_state = ""
        self._state = ""
        self._news = ""

    def tell(self, statistics: Statistics, uptime_s: float) -> None:
        """The minute's line; with it, news that had to wait."""
        with self._lock:
            self._say_line(statistics, uptime_s)
            self._say_news(uptime_s)

    def report(self, state: str, news: str, uptime_s: float) -> None:
        """`state` tells one trouble from another; empty is none. What is so already is not said again."""
        with self._lock:
            if state != self._state:
                self._state, self._news = state, news
                self._say_news(uptime_s)

    def _say_line(self, statistics: Statistics, uptime_s: float) -> None:
        hour = int(uptime_s // _HOUR_S)
        if self._is_terminal or hour != self._line_hour or self._lines < _LABELLED_AT_FIRST:
            self._line(statistics.labelled(self._words, uptime_s))
        else:
            short = statistics.short(self._words, uptime_s)
            self._line(short)
            self._line_bytes = max(self._line_bytes, len(short.encode()) + 1)
        self._lines += 1
        self._line_hour = hour

    def _say_news(self, uptime_s: float) -> None:
        if self._state == self._said_state or not self._fits(uptime_s):
            return
        self._said_state = self._state
        self._say(self._news)

    def _fits(self, uptime_s: float) -> bool:
        """Whether the news may be said within this hour; if so, it is counted."""
        hour = int(uptime_s // _HOUR_S)
        if hour != self._news_hour:
            self._news_hour, self._news_bytes = hour, 0
        size = self._news_bytes + len(self._news.encode()) + _PREFIX_BYTES
        if not self._is_terminal and size > _HOUR_BYTES - _LABELLED_BYTES - _SHORT_LINES * self._line_bytes:
            return False
        self._news_bytes = size
        return True
