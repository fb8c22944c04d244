"""Snapshots that the hub takes by itself, under DATA_DIR/snapshots, and gives over HTTP.

One is taken when the version of the hub or of a worker, or a frame template in force, is another than at the last look. What
was seen is kept in a file beside them, so that a change during a stop, or a crash before the snapshot, is not missed.
"""

import asyncio
import itertools
import os
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

import msgspec
import structlog
from litestar import Request, get
from litestar.di import NamedDependency, Provide

from atalaia.access.audit import record
from atalaia.access.guards import requires
from atalaia.access.requests import principal_of
from atalaia.app.snapshots.audit_words import AUDIT_WORDS
from atalaia.app.snapshots.facts import Health, Snapshot
from atalaia.app.snapshots.gathering import Sources, gather, template_facts
from atalaia.app.snapshots.kept import KeptSnapshot, kept_snapshots, read_snapshot
from atalaia.app.snapshots.writing import SUFFIX, file_name, markdown
from atalaia.core.permissions import Permission, Principal
from atalaia.core.translations import N_
from atalaia.sdk.contribution import Contribution, Loop, NavItem
from atalaia.version import COMMIT, VERSION

FOLDER: Final = "snapshots"
MOST_KEPT: Final = 100
PERIOD_S: Final = 60.0
ADDRESS_FILE: Final = "hub.address"
_SEEN: Final = "seen.json"
_MOST_WORKERS: Final = 1000
_TOPIC: Final = "captures"

log = structlog.get_logger()


class Seen(msgspec.Struct, kw_only=True):
    """What a snapshot is taken for when it changes."""

    hub: str = ""
    templates: dict[str, str] = {}  # upstream -> etag
    workers: dict[str, str] = {}  # name -> version


def reasons(before: Seen | None, now: Seen) -> list[str]:
    """In words; none: nothing that counts has changed. A worker that comes or goes is no other version."""
    if before is None:
        return [N_("the first start")]
    found = []
    if now.hub != before.hub:
        found.append(N_("version {now} in place of {before}").format(now=now.hub, before=before.hub))
    found += [
        N_("other frame templates of {upstream}").format(upstream=upstream)
        for upstream, etag in now.templates.items()
        if before.templates.get(upstream, etag) != etag
    ]
    found += [
        N_("worker {name} has version {now} in place of {before}").format(
            name=name, now=version, before=before.workers[name]
        )
        for name, version in now.workers.items()
        if before.workers.get(name, version) != version
    ]
    return found


def merged(before: Seen | None, now: Seen) -> Seen:
    """Workers that are away are remembered with the version they had."""
    workers = {**(before.workers if before else {}), **now.workers}
    return Seen(hub=now.hub, templates=now.templates, workers=dict(list(workers.items())[-_MOST_WORKERS:]))


class Snapshots:
    def __init__(self, sources: Sources) -> None:
        self._report: Callable[[], Mapping[str, Any]] | None = None
        self._address = ""
        self._sources = sources
        self._data_dir = sources.data_dir
        self._seen_path = self._data_dir / FOLDER / _SEEN
        self._wake = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._unsubscribe: Callable[[], None] = lambda: None

    def attend(self, *, report: Callable[[], Mapping[str, Any]], address: str) -> None:
        """What is known once the hub is put together: its health, and where a command on this machine can ask for it."""
        self._report, self._address = report, address

    async def take(self, reason: str, note: str = "") -> Snapshot:
        return await gather(self._sources, health=self._health(), reason=reason, note=note)

    async def take_for(self, principal: Principal, *, address: str | None) -> Path:
        """Asked for by a person: it is on record who took it."""
        path = await self.take_and_keep(N_("asked for by {name}").format(name=principal.name))
        now = self._sources.clock.now()
        await self._sources.store.write(
            lambda tx: record(tx, principal, "snapshot.taken", f"snapshot:{path.name}", address=address, now=now)
        )
        return path

    async def take_and_keep(self, reason: str) -> Path:
        snapshot = await self.take(reason)
        path = await asyncio.to_thread(keep, self._data_dir, markdown(snapshot), snapshot.taken_at)
        log.info("snapshot_taken", file=path.name, reason=reason)
        return path

    def kept(self) -> list[KeptSnapshot]:
        """The newest first. Reads files: call it in a thread."""
        return kept_snapshots(self._data_dir / FOLDER)

    def read(self, name: str) -> tuple[KeptSnapshot, str]:
        """Raises: NotFound."""
        return read_snapshot(self._data_dir / FOLDER, name)

    async def look(self) -> None:
        """Take one if something changed; a loop calls it."""
        before, now = await asyncio.to_thread(self._read_seen), await self._see()
        changes = reasons(before, now)
        after = merged(before, now)
        if changes:
            await self.take_and_keep("; ".join(changes))
        if after != before:
            await asyncio.to_thread(_write, self._seen_path, msgspec.json.encode(after).decode())

    def contribution(self, *, routes: Sequence[Any] = (), nav: Sequence[NavItem] = ()) -> Contribution:
        """`routes` and `nav` are those of its pages."""
        return Contribution(
            name="snapshots",
            audit_words=AUDIT_WORDS,
            routes=(get_snapshot, *routes),
            nav=nav,
            dependencies={"snapshots": Provide(lambda: self, sync_to_thread=False)},
            loops=(Loop("snapshots", PERIOD_S, self.look, leader_only=False, wake=self._wake),),
            start=self._start,
            stop=self._stop,
        )

    async def _start(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._unsubscribe = self._sources.store.live.subscribe(self._on_live)
        await asyncio.to_thread(_write, self._data_dir / ADDRESS_FILE, f"{self._address}\n")

    async def _stop(self) -> None:
        self._unsubscribe()

    def _on_live(self, topic: str, _id: str) -> None:
        if topic == _TOPIC and self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._wake.set)

    async def _see(self) -> Seen:
        templates = {each.upstream: each.etag for each in await template_facts(self._sources.captures)}
        workers = await self._sources.workers.all()
        return Seen(
            hub=_version(VERSION, COMMIT),
            templates=templates,
            workers={each.id: _version(each.version, each.commit) for each in workers},
        )

    def _read_seen(self) -> Seen | None:
        try:
            return msgspec.json.decode(self._seen_path.read_bytes(), type=Seen)
        except (OSError, msgspec.DecodeError):
            return None

    def _health(self) -> Health:
        if self._report is None:
            return Health(trouble="the hub is starting")
        return msgspec.convert(self._report(), Health)


def keep(data_dir: Path, text: str, at: datetime) -> Path:
    """Write it into the data directory, and drop the oldest beyond a number; the file's path.

    Two in one second: the later one takes the next free second.
    """
    folder = data_dir / FOLDER
    path = next(
        path
        for seconds in itertools.count()
        if not (path := folder / file_name(at + timedelta(seconds=seconds))).exists()
    )
    _write(path, text)
    for each in (folder, path):
        _hand_over(each, like=data_dir)
    for old in sorted(folder.glob(f"*{SUFFIX}"))[:-MOST_KEPT]:
        old.unlink(missing_ok=True)
    return path


def _write(path: Path, text: str) -> None:
    """Whole or not at all, and readable by its owner alone."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
    temporary.replace(path)


def _hand_over(path: Path, *, like: Path) -> None:
    """A command that root runs must leave nothing that the hub's own account can't write to."""
    if os.geteuid() == 0:
        owner = like.stat()
        os.chown(path, owner.st_uid, owner.st_gid)


def _version(version: str, commit: str | None) -> str:
    return f"{version} ({commit})" if commit else version


@get("/api/snapshot", guards=[requires(Permission.SETTINGS_WRITE)], tags=["Hub"])
async def get_snapshot(request: Request[Any, Any, Any], snapshots: NamedDependency[Snapshots]) -> Snapshot:
    """What runs where: versions, health, token states, workers, agents, frame templates, the last log entries. No secret."""
    return await snapshots.take(f"asked for by {principal_of(request).name}")
