"""Search over everything: each slice looks in its own, the best of all is shown."""

import asyncio
from collections.abc import Sequence

from atalaia.core.permissions import Principal
from atalaia.sdk.contribution import Found, SearchSource

MAX_TEXT = 100
LIMIT_EACH = 20


class Search:
    def __init__(self, sources: Sequence[SearchSource]) -> None:
        self._sources = sources

    async def find(self, text: str, viewer: Principal) -> list[Found]:
        """What `viewer` may see and that has `text` in it, case aside; names that begin with it come first."""
        wanted = text.strip()[:MAX_TEXT]
        if not wanted:
            return []
        allowed = [source for source in self._sources if viewer.may(source.permission)]
        parts = await asyncio.gather(*(source.find(wanted, LIMIT_EACH) for source in allowed))
        found = [item for part in parts for item in part]
        folded = wanted.casefold()
        return sorted(found, key=lambda item: (not item.title.casefold().startswith(folded), item.title.casefold()))
