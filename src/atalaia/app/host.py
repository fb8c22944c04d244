"""What the hub gives to one integration: its own settings, its own upstreams, and the services of the slices."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Protocol, TypeVar

from atalaia.access.audit import record
from atalaia.access.service.people import active_people
from atalaia.core.clock import Clock
from atalaia.core.errors import ConfigError
from atalaia.core.permissions import Principal, Role
from atalaia.core.redaction import Secret
from atalaia.core.settings import INTEGRATIONS, Settings
from atalaia.sdk.channels import ChannelKind
from atalaia.sdk.contribution import HotRoute
from atalaia.sdk.faults import FaultEnded, FaultReport, FaultReported
from atalaia.sdk.files import Files
from atalaia.sdk.integration import Account, Integration, JobStanding, NewJob, TokenStatus
from atalaia.sdk.jobs import Handler
from atalaia.sdk.messages import MessageKind
from atalaia.sdk.signals import SignalAddress, SignalStanding, SignalTask
from atalaia.sdk.transaction import Tx
from atalaia.sdk.upstreams import Upstream
from atalaia.store.encryption import Sealer
from atalaia.store.files import StoreFiles
from atalaia.store.store import Store

T = TypeVar("T")


class JobsPort(Protocol):
    """What of the jobs an integration may ask for."""

    async def enqueue(
        self, type: str, payload_raw: str, *, by: Principal, idempotency_key: str | None, unique_key: str | None
    ) -> NewJob: ...

    async def standing(self, id: str, *, types: Collection[str]) -> JobStanding | None: ...

    def events_ticket(self, job_id: str) -> str: ...


class JobRunsPort(Protocol):
    """Where the handlers go of job types that run in the hub with an integration's host."""

    def take(self, runs: Mapping[str, Handler], *, own: Sequence[str]) -> None:
        """Raises: ConfigError: a type is not the integration's own."""


class UpstreamsPort(Protocol):
    """What of the upstreams an integration may ask for."""

    def client(self, name: str, account: str) -> Upstream: ...

    async def token_status(self, upstream: str) -> TokenStatus: ...

    async def keep_token(self, upstream: str, token: Secret, *, by: Principal, client: str | None) -> None: ...


class SignalsPort(Protocol):
    """What of the signals an integration may give (tasks, and addresses that it keeps) and ask of those with its tasks."""

    def take(
        self, integration: str, tasks: Sequence[SignalTask], addresses: Sequence[SignalAddress]
    ) -> Sequence[HotRoute]: ...

    def forget(self, integration: str) -> None: ...

    async def of_task(self, task: str) -> Sequence[SignalStanding]: ...

    async def look_now(self, task: str, *, by: Principal) -> bool: ...


class ChannelsPort(Protocol):
    """Where the kinds of channels go that integrations give."""

    def take(self, owner: str, kinds: Sequence[ChannelKind]) -> None: ...

    def forget(self, owner: str) -> None: ...


class MessagesPort(Protocol):
    """Where messages go that an integration sends to an address."""

    def kinds(self, tx: Tx) -> Sequence[MessageKind]: ...

    def queue(
        self,
        tx: Tx,
        *,
        owner: str,
        kind: str,
        to: str,
        subject: str,
        text: str,
        not_before: datetime | None,
        expires_at: datetime | None,
    ) -> str: ...

    def withdraw(self, tx: Tx, message_id: str, *, owner: str) -> bool: ...


@dataclass(frozen=True, slots=True)
class HostParts:
    """The hub's own, for all integrations."""

    store: Store
    clock: Clock
    settings: Settings
    sealer: Sealer
    public_url: str
    jobs: JobsPort
    job_runs: JobRunsPort
    upstreams: UpstreamsPort
    signals: SignalsPort
    channels: ChannelsPort
    messages: MessagesPort


class IntegrationHost:
    """The sdk's `Host`, for one integration."""

    def __init__(self, integration: Integration, parts: HostParts) -> None:
        self.clock = parts.clock
        self.public_url = parts.public_url
        self._parts = parts
        self._name = integration.manifest.name
        self._upstreams = {declaration.name for declaration in integration.upstreams}
        self.files: Files = StoreFiles(self._name, now=self.clock.now)
        self._job_types = {job_type.name for job_type in integration.job_types}

    def setting(self, name: str) -> Any:
        return self._parts.settings.get(f"{INTEGRATIONS}.{self._name}.{name}")

    def upstream(self, name: str, account: str = "default") -> Upstream:
        return self._parts.upstreams.client(self._own_upstream(name), account)

    async def enqueue(
        self,
        type: str,
        payload_raw: str,
        *,
        by: Principal,
        idempotency_key: str | None = None,
        unique_key: str | None = None,
    ) -> NewJob:
        if type not in self._job_types:
            raise ConfigError(f"{self._name} has no job type {type}")
        return await self._parts.jobs.enqueue(
            type, payload_raw, by=by, idempotency_key=idempotency_key, unique_key=unique_key
        )

    async def job(self, id: str) -> JobStanding | None:
        return await self._parts.jobs.standing(id, types=self._job_types)

    async def token_status(self, upstream: str) -> TokenStatus:
        return await self._parts.upstreams.token_status(self._own_upstream(upstream))

    async def keep_token(self, upstream: str, token: Secret, *, by: Principal, client: str | None) -> None:
        await self._parts.upstreams.keep_token(self._own_upstream(upstream), token, by=by, client=client)

    async def read(self, unit: Callable[[Tx], T]) -> T:
        return await self._parts.store.read(unit)

    async def write(self, unit: Callable[[Tx], T]) -> T:
        return await self._parts.store.write(unit)

    def publish(self, topic: str, id: str = "") -> None:
        self._parts.store.live.publish(topic, id)

    def audit(self, tx: Tx, *, by: Principal, action: str, target: str, client: str | None, **details: Any) -> None:
        record(tx, by, action, target, after=details or None, address=client, now=self.clock.now())

    def accounts(self, tx: Tx, *, role: Role | None = None) -> Sequence[Account]:
        return [Account(each.id, each.name, each.email, each.role) for each in active_people(tx, role=role)]

    def events_ticket(self, job_id: str) -> str:
        return self._parts.jobs.events_ticket(job_id)

    def seal(self, secret: Secret, *, purpose: str) -> bytes:
        return self._parts.sealer.seal(secret.reveal(), purpose=self._own(purpose))

    def unseal(self, sealed: bytes, *, purpose: str) -> Secret:
        return Secret(self._parts.sealer.open(sealed, purpose=self._own(purpose)))

    def report_fault(self, tx: Tx, fault: FaultReport) -> None:
        labelled = replace(fault, labels={"integration": self._name, **fault.labels})
        tx.emit(FaultReported(subject=self._own(fault.key), fault=labelled))

    def end_fault(self, tx: Tx, key: str) -> None:
        tx.emit(FaultEnded(subject=self._own(key)))

    def message(
        self,
        tx: Tx,
        *,
        kind: str,
        to: str,
        subject: str,
        text: str,
        not_before: datetime | None = None,
        expires_at: datetime | None = None,
    ) -> str:
        return self._parts.messages.queue(
            tx,
            owner=self._name,
            kind=kind,
            to=to,
            subject=subject,
            text=text,
            not_before=not_before,
            expires_at=expires_at,
        )

    def withdraw_message(self, tx: Tx, message_id: str) -> bool:
        return self._parts.messages.withdraw(tx, message_id, owner=self._name)

    def message_kinds(self, tx: Tx) -> Sequence[MessageKind]:
        return self._parts.messages.kinds(tx)

    async def signals_of(self, task: str) -> Sequence[SignalStanding]:
        return await self._parts.signals.of_task(self._own_task(task))

    async def look_now(self, task: str, *, by: Principal) -> bool:
        return await self._parts.signals.look_now(self._own_task(task), by=by)

    def _own_task(self, task: str) -> str:
        if not task.startswith(f"{self._name}."):
            raise ConfigError(f"{self._name} has no task {task}")
        return task

    def _own(self, key: str) -> str:
        return f"integration:{self._name}:{key}"

    def _own_upstream(self, name: str) -> str:
        if name not in self._upstreams:
            raise ConfigError(f"{self._name} has no upstream {name}")
        return name
