"""Ask everything that a snapshot says; what can't be asked is said instead of it."""

import asyncio
from collections.abc import Awaitable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeVar

from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from atalaia.agents.model.agents import Agent
from atalaia.agents.service import AgentsService
from atalaia.app.snapshots.facts import Health, RunnerFact, Snapshot, TemplateFact, TokenFact, UpstreamFact
from atalaia.app.snapshots.installation import installation
from atalaia.captures.service import CapturesService
from atalaia.core import log_files
from atalaia.core.clock import Clock
from atalaia.core.errors import AtalaiaError
from atalaia.core.redaction import redact, scrub
from atalaia.jobs.service.workers import WorkerOut, Workers
from atalaia.sdk.transaction import Tx
from atalaia.store.store import Store
from atalaia.upstreams.model.registered import Registered
from atalaia.upstreams.model.views import AccountView, UpstreamView
from atalaia.upstreams.service.seeing import read_views

T = TypeVar("T")
LOG_LINES: Final = 40
_AGENTS: Final = 200


@dataclass(frozen=True, slots=True)
class Sources:
    """The same services whether a hub asks or a command beside it."""

    store: Store
    clock: Clock
    data_dir: Path
    public_url: str
    registered: Sequence[Registered]
    workers: Workers
    agents: AgentsService
    captures: CapturesService


async def gather(
    sources: Sources, *, health: Health, reason: str, note: str = "", troubles: Iterable[str] = ()
) -> Snapshot:
    """`troubles` that are known already are said too. Raises nothing that the store or an upstream may raise."""
    told = list(troubles)

    async def asked(what: str, question: Awaitable[list[T]]) -> list[T]:
        try:
            return await question
        except AtalaiaError as error:
            told.append(f"{what}: {error}")
        except SQLAlchemyError as error:  # a database of another version, asked by a command
            told.append(f"{what}: the database can't answer ({type(error).__name__})")
        return []

    upstreams = await asked("upstreams", _upstreams(sources))
    workers = await asked("workers", _workers(sources))
    agents = await asked("agents", _agents(sources))
    templates = await asked("frame templates", template_facts(sources.captures))
    store = await asked("store", _store(sources.store))
    return Snapshot(
        taken_at=sources.clock.now(),
        reason=reason,
        note=scrub(note),
        installation=await asyncio.to_thread(installation),
        store="".join(store),
        public_url=scrub(sources.public_url),
        health=health,
        upstreams=upstreams,
        workers=workers,
        agents=agents,
        templates=templates,
        log=[scrub(line) for line in log_files.last_lines(sources.data_dir / log_files.FOLDER, LOG_LINES)],
        troubles=[scrub(trouble) for trouble in told],
    )


async def template_facts(captures: CapturesService) -> list[TemplateFact]:
    """Those in force, with the etag of their upstream's."""
    found: list[TemplateFact] = []
    for upstream in captures.upstreams():
        active = await captures.active_templates(upstream)
        found += [
            TemplateFact(upstream=upstream, action=each.action, version=each.version, etag=active.etag)
            for each in sorted(active.versions, key=lambda each: each.action)
        ]
    return found


async def _upstreams(sources: Sources) -> list[UpstreamFact]:
    now = sources.clock.now()
    views = await sources.store.read(lambda tx: read_views(tx, sources.registered, now=now))
    return [_upstream(view) for view in views]


def _upstream(view: UpstreamView) -> UpstreamFact:
    return UpstreamFact(
        name=view.name,
        title=view.title,
        state=str(view.state),
        reason=redact(view.reason),
        calls_last_hour=view.hour.calls,
        success_rate=view.hour.success_rate,
        accounts=[_account(account) for account in view.accounts],
    )


def _account(account: AccountView) -> TokenFact:
    token = account.token
    return TokenFact(
        account=account.account,
        has_token=token is not None and token.has_token,
        length=token.length if token else None,
        expires_at=token.expires_at if token else None,
        renewed_at=token.renewed_at if token else None,
        source=token.source if token else None,
        error=redact(token.error) if token else None,
        breaker=str(account.breaker.phase),
    )


async def _workers(sources: Sources) -> list[RunnerFact]:
    return [_worker(each) for each in await sources.workers.all()]


def _worker(worker: WorkerOut) -> RunnerFact:
    return RunnerFact(
        name=worker.id,
        version=worker.version,
        commit=worker.commit,
        state=worker.state,
        seen_at=worker.seen_at,
        address=worker.address,
        detail=f"{worker.running} running; {', '.join(worker.types)}",
    )


async def _agents(sources: Sources) -> list[RunnerFact]:
    agents, _ = await sources.agents.page(cursor=None, limit=_AGENTS)
    now = sources.clock.now()

    def fact(agent: Agent) -> RunnerFact:
        return RunnerFact(
            name=agent.name,
            version=agent.version,
            commit="",
            state=str(agent.state(now)),
            seen_at=agent.last_seen_at,
            address=agent.seen.address or "",
            detail=f"{agent.hostname}; {agent.probes} probes; {agent.platform}; Python {agent.python}",
        )

    return [fact(agent) for agent in agents]


async def _store(store: Store) -> list[str]:
    question = "SHOW server_version" if store.dialect == "postgresql" else "SELECT sqlite_version()"

    def unit(tx: Tx) -> str:
        return str(tx.value(text(question)))

    engine = "PostgreSQL" if store.dialect == "postgresql" else "SQLite"
    return [f"{engine} {await store.read(unit)}"]
