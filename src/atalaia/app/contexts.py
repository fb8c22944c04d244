"""What job types are given beside their payload: the settings they name, and the templates in force of their upstream."""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import msgspec

from atalaia.captures.service import CapturesService
from atalaia.core.redaction import Secret
from atalaia.core.settings import INTEGRATIONS, Settings
from atalaia.integrations import Loaded
from atalaia.jobs.model.types import Context, JobTypes
from atalaia.sdk.contribution import Contribution, Loop
from atalaia.sdk.jobs import JobType
from atalaia.store.live import Live

PERIOD_S = 30.0
TOPIC = "captures"


class Contexts:
    """Templates are read when captures change (and every 30 s, since live news are lossy), so that a context costs nothing."""

    def __init__(self, captures: CapturesService, settings: Settings, *, upstreams: Iterable[str], live: Live) -> None:
        self._captures = captures
        self._settings = settings
        self._templates: dict[str, Mapping[str, Any]] = {name: {} for name in upstreams}
        self._wake = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._live = live

    def register(self, types: JobTypes, found: Iterable[Loaded]) -> None:
        for loaded in found:
            if loaded.integration is not None:
                for job_type in loaded.integration.job_types:
                    types.register(job_type, context=self._provider(loaded.name, job_type))

    async def refresh(self) -> None:
        for name in self._templates:
            active = await self._captures.active_templates(name)
            self._templates[name] = msgspec.to_builtins(dict(active.templates))

    def contribution(self) -> Contribution:
        async def start() -> None:
            self._loop = asyncio.get_running_loop()
            await self.refresh()

        return Contribution(
            name="contexts",
            loops=(Loop("job-contexts", PERIOD_S, self.refresh, leader_only=False, wake=self._wake),)
            if self._templates
            else (),
            start=start,
            stop=self._unsubscribe(self._live.subscribe(self._on_live)),
        )

    def _provider(self, integration: str, job_type: JobType) -> Callable[[], Context]:
        def context() -> Context:
            settings = {name: self._setting(integration, name) for name in job_type.settings}
            return Context(settings, self._templates.get(job_type.upstream or "", {}))

        return context

    def _setting(self, integration: str, name: str) -> Any:
        value = self._settings.get(f"{INTEGRATIONS}.{integration}.{name}")
        return None if isinstance(value, Secret) else value  # tokens are asked for, and nothing else that is secret

    def _on_live(self, topic: str, _id: str) -> None:
        if topic == TOPIC and self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._wake.set)

    def _unsubscribe(self, call: Callable[[], None]) -> Any:
        async def stop() -> None:
            call()

        return stop
