"""What the search finds here."""

from collections.abc import Awaitable, Callable, Sequence
from urllib.parse import quote

from atalaia.core.translations import N_
from atalaia.sdk.contribution import Found
from atalaia.signals.service import SignalsService

Find = Callable[[str, int], Awaitable[Sequence[Found]]]


def find_signals(signals: SignalsService) -> Find:
    """By a part of the name."""

    async def find(text: str, limit: int) -> Sequence[Found]:
        found = await signals.reading.search(text, limit)
        return [Found(N_("Signal"), name, f"/signals/{quote(name)}", task) for name, task in found]

    return find
