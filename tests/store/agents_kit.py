"""What the tests of agents and pings share: a service on a real store, and records as an agent writes them."""

from pathlib import Path
from typing import Any

import msgspec

from atalaia.agents.model.agents import Known
from atalaia.agents.model.wire import AgentInfo, Batch, Probe
from atalaia.agents.service import AgentsService
from atalaia.core.permissions import Principal, permissions_of_scopes
from atalaia.store.encryption import Sealer
from atalaia.store.store import Store
from tests.conftest import MakeStore
from tests.fakes import FakeClock

SLICES = ("access", "agents")
KEY = Principal(id="key-1", kind="key", name="edge", permissions=permissions_of_scopes(frozenset({"agent"})))
OTHER_KEY = Principal(id="key-2", kind="key", name="other", permissions=KEY.permissions)
ADMIN = Principal(id="person-1", kind="person", name="Ana", permissions=permissions_of_scopes(frozenset({"admin"})))
SEALER = Sealer([bytes(range(32))])
HUB = "https://hub.example.org"


def agents_service(store: Store, clock: FakeClock) -> AgentsService:
    return AgentsService(store, clock=clock, sealer=SEALER, public_url=HUB)


def make_agents(make_store: MakeStore, clock: FakeClock, *slices: str) -> tuple[Store, AgentsService]:
    store = make_store(*SLICES, *slices)
    return store, agents_service(store, clock)


def info(name: str = "sp-1", **facts: Any) -> AgentInfo:
    return AgentInfo(name=name, hostname=f"{name}.example.org", version="1.0", python="3.11", platform="Linux", **facts)


def result(seq: int, *, probe: str = "p1", at: int = 1_768_478_400_000, ok: bool = True, **more: Any) -> dict[str, Any]:
    outcome = "ok" if ok else "fail"
    return {"t": "result", "seq": seq, "probe": probe, "at": at, "ok": ok, "outcome": outcome, "ms": 12.5, **more}


def batch(
    records: list[dict[str, Any]],
    *,
    name: str = "sp-1",
    spool: str = "spool-1",
    sent_at: int = 1_768_478_400_000,
    status: dict[str, Any] | None = None,
) -> Batch:
    raw = {
        "agent": info(name),
        "spool": {"id": spool, "first_seq": None, "last_seq": None},
        "sent_at": sent_at,
        "status": status or {},
        "records": records,
    }
    return msgspec.convert(msgspec.to_builtins(raw), Batch)


def probe(probe_id: str = "p1", **more: Any) -> Probe:
    values = {"kind": "http", "target": "http://127.0.0.1/", "interval_s": 30.0, "timeout_s": 10.0, **more}
    return Probe(id=probe_id, **values)


async def known_agent(agents: AgentsService, name: str = "sp-1", key: Principal = KEY) -> Known:
    return await agents.identify(key, info(name))


def folder_of(slice_name: str) -> Path:
    return Path(__file__).resolve().parents[2] / "src" / "atalaia" / slice_name
