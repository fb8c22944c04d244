"""Captures as the hub has them: imported, compared, and their templates in force."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from atalaia.access import audit
from atalaia.captures.model.captures import Capture, Imported
from atalaia.captures.model.comparing import Comparison, compare
from atalaia.captures.model.recordings import Frame
from atalaia.captures.model.templates import ActionVersion, Active, FrameSource
from atalaia.captures.queries import captures as queries
from atalaia.captures.queries import templates as template_queries
from atalaia.captures.service import choosing
from atalaia.captures.service.importing import TOPIC, CaptureFile, Lessons, import_capture, in_force_by_action
from atalaia.core.clock import Clock
from atalaia.core.errors import InvalidField, NotFound
from atalaia.core.permissions import Principal
from atalaia.core.translations import N_
from atalaia.sdk.transaction import Tx
from atalaia.store.store import Store
from atalaia.web.cursors import decode_cursor, page_of

_ALL: Final = 10_000
Sources = Callable[[], Mapping[str, FrameSource]]


@dataclass(frozen=True, slots=True)
class ActionCount:
    """`version` is what this capture made of the action, where it made anything."""

    action: str | None
    sent: int
    received: int
    version: int | None


@dataclass(frozen=True, slots=True)
class ActionHistory:
    upstream: str
    action: str
    active_version: int
    versions: Sequence[ActionVersion]  # the newest first
    capture_names: Mapping[str, str]

    @property
    def active(self) -> ActionVersion:
        return self.version(self.active_version)

    def version(self, number: int) -> ActionVersion:
        """Raises: NotFound."""
        for each in self.versions:
            if each.version == number:
                return each
        raise NotFound(N_("there is no version {version} of that action's templates"), version=number)


class CapturesService:
    """`sources` says which upstreams there are; a capture of another one is refused."""

    def __init__(self, store: Store, *, clock: Clock, sources: Sources) -> None:
        self._store = store
        self._clock = clock
        self._sources = sources
        self._importing = asyncio.Semaphore(1)  # each holds a file of up to 64 MB, read, in memory

    def upstreams(self) -> Mapping[str, str]:
        """Title by name."""
        return {name: source.title for name, source in sorted(self._sources().items())}

    def source(self, upstream: str) -> FrameSource:
        """Raises: NotFound."""
        try:
            return self._sources()[upstream]
        except KeyError:
            raise NotFound(N_("there is no upstream of that name")) from None

    async def import_file(
        self, principal: Principal, data: bytes, *, upstream: str, name: str = "", address: str | None = None
    ) -> Imported:
        """Raises: InvalidField (no such upstream, CaptureRefused), TooLarge."""
        if upstream not in self._sources():
            known = ", ".join(sorted(self._sources())) or "-"
            raise InvalidField("upstream", N_("there is no such upstream; there are: {known}"), known=known)
        source = self.source(upstream)
        async with self._importing:
            file = await asyncio.to_thread(CaptureFile, data)
            in_force = await self._store.read(lambda tx: in_force_by_action(tx, upstream, source))
            lessons = await asyncio.to_thread(Lessons, file, source, in_force)
        now = self._clock.now()
        return await self._store.write(
            lambda tx: import_capture(
                tx, principal, file, lessons, upstream=upstream, source=source, name=name, now=now, address=address
            )
        )

    async def page(
        self, *, cursor: str | None, limit: int, upstream: str | None = None
    ) -> tuple[list[Capture], str | None]:
        """The newest first, and the cursor of the next page."""
        after = decode_cursor(cursor, str)
        before = after[0] if after else None
        rows = await self._store.read(
            lambda tx: queries.page(tx, limit=limit + 1, before=before, upstream=upstream or None)
        )
        return page_of(rows, limit, lambda capture: (capture.id,))

    async def get(self, capture_id: str) -> Capture:
        return await self._store.read(lambda tx: find_capture(tx, capture_id))

    async def counts(self, capture_id: str) -> list[ActionCount]:
        def unit(tx: Tx) -> list[ActionCount]:
            made = dict(template_queries.of_capture(tx, capture_id))
            return [
                ActionCount(action, sent, received, made.get(action or ""))
                for action, sent, received in queries.counts(tx, capture_id)
            ]

        return await self._store.read(unit)

    async def frames(
        self, capture_id: str, *, action: str | None = None, after: int = 0, limit: int | None = None
    ) -> list[Frame]:
        return await self._store.read(
            lambda tx: queries.frames(tx, capture_id, action=action, after=after, limit=limit)
        )

    async def compare(self, a_id: str, b_id: str) -> tuple[Capture, Capture, Comparison]:
        """Raises: NotFound."""

        def unit(tx: Tx) -> tuple[Capture, Capture, list[Frame], list[Frame]]:
            a, b = find_capture(tx, a_id), find_capture(tx, b_id)
            return a, b, queries.frames(tx, a.id), queries.frames(tx, b.id)

        a, b, of_a, of_b = await self._store.read(unit)
        source = self._sources().get(a.upstream)
        variables = source.variables if source else ()
        return a, b, await asyncio.to_thread(compare, of_a, of_b, variables=variables)

    async def active_templates(self, upstream: str) -> Active:
        """What a worker makes frames by, with an etag that changes with it. Raises: NotFound."""
        source = self.source(upstream)
        return await self._store.read(lambda tx: choosing.active_templates(tx, upstream, source))

    async def history(self, upstream: str, action: str) -> ActionHistory:
        """Raises: NotFound."""
        source = self.source(upstream)

        def unit(tx: Tx) -> ActionHistory:
            active, versions = choosing.history(tx, upstream, action, source)
            names = queries.names(tx, [each.capture_id for each in versions if each.capture_id])
            return ActionHistory(upstream, action, active, versions, names)

        return await self._store.read(unit)

    async def activate(
        self, principal: Principal, *, upstream: str, action: str, version: int, address: str | None = None
    ) -> ActionVersion:
        """Raises: NotFound."""
        source, now = self.source(upstream), self._clock.now()
        return await self._store.write(
            lambda tx: choosing.activate(
                tx, principal, upstream=upstream, action=action, version=version, source=source, now=now,
                address=address,
            )
        )  # fmt: skip

    async def drop(self, principal: Principal, capture_id: str, *, address: str | None = None) -> None:
        """The recording goes; templates made of it stay. Raises: NotFound."""
        now = self._clock.now()
        await self._store.write(lambda tx: drop_capture(tx, principal, capture_id, now=now, address=address))

    async def search(self, text: str, *, limit: int) -> list[Capture]:
        return await self._store.read(lambda tx: queries.search(tx, text, limit=limit))


def find_capture(tx: Tx, capture_id: str) -> Capture:
    """Raises: NotFound."""
    found = queries.find(tx, capture_id)
    if found is None:
        raise NotFound(N_("there is no such capture"))
    return found


def drop_capture(tx: Tx, principal: Principal, capture_id: str, *, now: datetime, address: str | None = None) -> None:
    """Raises: NotFound."""
    capture = find_capture(tx, capture_id)
    queries.drop(tx, capture.id)
    before = {"name": capture.name, "upstream": capture.upstream, "sent": capture.sent, "received": capture.received}
    audit.record(tx, principal, "capture.deleted", f"capture:{capture.id}", before=before, address=address, now=now)
    tx.publish(TOPIC, capture.id)


def list_captures(tx: Tx, *, upstream: str | None = None) -> list[Capture]:
    """All of them, the newest first; for a command."""
    return queries.page(tx, limit=_ALL, upstream=upstream)


def read_frames(tx: Tx, capture_id: str) -> list[Frame]:
    return queries.frames(tx, capture_id)
