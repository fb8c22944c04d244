"""Settings and templates of job types, as the hub gives them; asked for again only when their etag is another."""

import asyncio

from atalaia.sdk.failures import TemporaryFailure
from atalaia.worker.hub import Context, HubApi

TRIES = 3
PAUSE_S = 1.0


class Contexts:
    def __init__(self, api: HubApi) -> None:
        self._api = api
        self._known: dict[str, Context] = {}
        self._locks: dict[str, asyncio.Lock] = {}

    async def of(self, job_type: str, etag: str) -> Context:
        """Raises: TemporaryFailure, Refused."""
        async with self._locks.setdefault(job_type, asyncio.Lock()):
            known = self._known.get(job_type)
            if known is None or known.etag != etag:
                known = self._known[job_type] = await self._asked(job_type)
            return known

    async def _asked(self, job_type: str) -> Context:
        for _ in range(TRIES - 1):
            try:
                return await self._api.context(job_type)
            except TemporaryFailure:
                await asyncio.sleep(PAUSE_S)
        return await self._api.context(job_type)
