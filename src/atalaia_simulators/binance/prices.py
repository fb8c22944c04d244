"""Mark prices: steady, set, or on a scripted path."""

from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class _Path:
    """From each second after `started_at` on, its price; before the first one, `before`."""

    started_at: float
    before: Decimal
    seconds: Sequence[float]
    prices: Sequence[Decimal]

    def at(self, now: float) -> Decimal:
        passed = bisect_right(self.seconds, now - self.started_at)
        return self.prices[passed - 1] if passed else self.before


class Prices:
    """`now` is the epoch."""

    def __init__(self, steady: Mapping[str, Decimal], *, now: Callable[[], float]) -> None:
        self._steady = dict(steady)
        self._paths: dict[str, _Path] = {}
        self._now = now

    def at(self, symbol: str) -> Decimal:
        path = self._paths.get(symbol)
        return self._steady[symbol] if path is None else path.at(self._now())

    def set(self, symbol: str, price: Decimal) -> None:
        self._paths.pop(symbol, None)
        self._steady[symbol] = price

    def follow(self, symbol: str, path: Sequence[tuple[float, Decimal]]) -> None:
        """From now on; the last price stays."""
        ordered = sorted(path, key=lambda point: point[0])
        seconds, prices = [second for second, _ in ordered], [price for _, price in ordered]
        self._paths[symbol] = _Path(self._now(), self.at(symbol), seconds, prices)
