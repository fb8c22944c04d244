"""A host for an integration that nobody has configured: a store of its own, and nothing else."""

from collections.abc import Callable
from typing import Any, TypeVar

from atalaia.core.clock import SystemClock
from atalaia.core.permissions import Principal, Role
from atalaia.core.redaction import Secret
from atalaia.outbound.guard import Guard
from atalaia.outbound.http import HttpClient
from atalaia.outbound.memory import MemoryBreaker, MemoryCalls, MemoryTokens
from atalaia.outbound.upstream import Ports, UpstreamClient
from atalaia.sdk.failures import PermanentFailure
from atalaia.sdk.faults import FaultReport
from atalaia.sdk.files import Files
from atalaia.sdk.integration import Account, Integration, JobStanding, NewJob, TokenStatus
from atalaia.sdk.messages import MessageKind
from atalaia.sdk.signals import SignalStanding
from atalaia.sdk.transaction import Tx
from atalaia.sdk.upstreams import Login, Upstream
from atalaia.store.files import StoreFiles
from atalaia.store.store import Store
from tests.contract.integrations.bench import values_of

T = TypeVar("T")


class QuietHost:
    """sdk.integration.Host. Nothing may be called outside: it counts who tries."""

    def __init__(self, integration: Integration, store: Store) -> None:
        self.clock = SystemClock()
        self.public_url = "http://127.0.0.1:8400"
        self.calls = MemoryCalls()
        self.files: Files = StoreFiles(integration.manifest.name, now=self.clock.now)
        self._integration = integration
        self._store = store
        self._settings = values_of(integration.manifest.settings, {})
        self._http = HttpClient(Guard())

    def setting(self, name: str) -> Any:
        return self._settings[name]

    def upstream(self, name: str, account: str = "default") -> Upstream:  # noqa: ARG002 - the contract's form
        declared = next(each for each in self._integration.upstreams if each.name == name)

        async def login() -> Login:
            raise PermanentFailure("It is not configured.")

        tokens = MemoryTokens(login, clock=self.clock)
        ports = Ports(tokens, MemoryBreaker(clock=self.clock), self.calls)
        return UpstreamClient(declared, http=self._http, ports=ports, clock=self.clock)

    def accounts(self, tx: Tx, *, role: Role | None = None) -> list[Account]:  # noqa: ARG002 - the contract's form
        return []

    async def enqueue(
        self,
        type: str,
        payload_raw: str,
        *,
        by: Principal,  # noqa: ARG002 - the contract's form
        idempotency_key: str | None = None,  # noqa: ARG002 - as above
        unique_key: str | None = None,  # noqa: ARG002 - as above
    ) -> NewJob:
        assert type in {each.name for each in self._integration.job_types}
        assert payload_raw
        return NewJob("j1", "pending", is_new=True)

    async def job(self, id: str) -> JobStanding | None: ...

    async def token_status(self, upstream: str) -> TokenStatus:
        assert upstream in {each.name for each in self._integration.upstreams}
        return TokenStatus(has_token=False, length=None, expires_at=None, renewed_at=None, source=None)

    async def keep_token(self, upstream: str, token: Secret, *, by: Principal, client: str | None) -> None: ...

    async def read(self, unit: Callable[[Tx], T]) -> T:
        return await self._store.read(unit)

    async def write(self, unit: Callable[[Tx], T]) -> T:
        return await self._store.write(unit)

    def publish(self, topic: str, id: str = "") -> None: ...

    def audit(self, tx: Tx, *, by: Principal, action: str, target: str, client: str | None, **details: Any) -> None: ...

    def seal(self, secret: Secret, *, purpose: str) -> bytes:
        return f"{purpose}:{secret.reveal()}".encode()

    def unseal(self, sealed: bytes, *, purpose: str) -> Secret:
        return Secret(sealed.decode().removeprefix(f"{purpose}:"))

    def message(self, tx: Tx, *, kind: str, to: str, subject: str, text: str, **times: Any) -> str:  # noqa: ARG002 - the contract's form
        raise AssertionError("nobody is told anything")

    def withdraw_message(self, tx: Tx, message_id: str) -> bool:  # noqa: ARG002 - as above
        raise AssertionError("there is none")

    def message_kinds(self, tx: Tx) -> list[MessageKind]:  # noqa: ARG002 - the contract's form
        return []

    def report_fault(self, tx: Tx, fault: FaultReport) -> None: ...

    def end_fault(self, tx: Tx, key: str) -> None: ...

    async def signals_of(self, task: str) -> list[SignalStanding]:  # noqa: ARG002 - the contract's form
        return []

    async def look_now(self, task: str, *, by: Principal) -> bool:  # noqa: ARG002 - as above
        return False

    def events_ticket(self, job_id: str) -> str:
        return f"/events/{job_id}?ticket=t"

    async def aclose(self) -> None:
        await self._http.aclose()
