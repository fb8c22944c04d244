"""The contract of an integration: a manifest, job types, upstreams, and what `setup(host)` gives to the hub.

An integration imports `sdk`, `outbound` and `core` and nothing else of Atalaia. It is found by the entry point group
`atalaia.integrations`; built-in ones use nothing that another's could not. One that is not configured is there and quiet.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeVar

import msgspec

from atalaia.core.clock import Clock
from atalaia.core.errors import BadInput, InvalidField
from atalaia.core.permissions import Permission, Principal, Role
from atalaia.core.redaction import Secret
from atalaia.core.settings import Setting
from atalaia.core.translations import Locale
from atalaia.sdk.channels import ChannelKind
from atalaia.sdk.contribution import HealthItem, Loop, NavItem
from atalaia.sdk.faults import FaultReport
from atalaia.sdk.files import Files, Upload
from atalaia.sdk.jobs import Handler, JobType
from atalaia.sdk.messages import MessageDone, MessageKind, MessageReceived
from atalaia.sdk.signals import SignalAddress, SignalStanding, SignalTask
from atalaia.sdk.sockets import SocketRoute
from atalaia.sdk.transaction import Tx
from atalaia.sdk.upstreams import Upstream, UpstreamDeclaration

if TYPE_CHECKING:  # a worker has no database: see sdk.transaction
    from sqlalchemy import MetaData

T = TypeVar("T")
Method = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """Who an integration is. Settings are keyed `integrations.<name>.<setting>`; the page makes itself from them.

    `audit_words`: what the audit log calls each action that `Host.audit` is given, in English, keys of the translations.
    """

    name: str
    title: str  # a proper name, not translated
    owner: str
    summary: str  # English, a key of the translations
    settings: Sequence[Setting] = ()
    audit_words: Mapping[str, str] = field(default_factory=dict)
    is_configured: Callable[[Callable[[str], Any]], bool] = lambda _setting: True


@dataclass(frozen=True, slots=True)
class Request:
    """A request to a route or page of an integration, already authenticated and within the size limit."""

    method: str
    path: str
    path_params: Mapping[str, str]
    query: Mapping[str, str]
    headers: Mapping[str, str]  # names in lower case
    body: bytes
    principal: Principal
    client: str | None
    locale: Locale = "en"
    timezone: str = "UTC"  # the reader's, on a page
    files: Mapping[str, Upload] = field(default_factory=dict)  # of a page's form, by field; see Page.max_file_bytes

    def json(self, shape: type[T]) -> T:
        """Raises: BadInput (not JSON), InvalidField (names the field)."""
        try:
            return msgspec.json.decode(self.body, type=shape)
        except msgspec.ValidationError as error:
            text, _, path = str(error).partition(" - at `$")
            raise InvalidField(path.rstrip("`").lstrip(".") or "body", "{why}", why=text) from error
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:  # also no UTF-8, or all brackets
            raise BadInput("This is not JSON: {why}", why=str(error)) from error


@dataclass(frozen=True, slots=True)
class Reply:
    """`body` is encoded as JSON unless it is bytes; None is an empty answer."""

    body: Any = None
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    content_type: str = "application/json"


@dataclass(frozen=True, slots=True)
class EventStream:
    """Server-sent events: (event name, JSON data), until the iterator ends or the reader leaves."""

    events: AsyncIterator[tuple[str, Any]]


@dataclass(frozen=True, slots=True)
class Route:
    """A JSON route. `keyless_networks` names a setting with networks that may call it without a key (kept endpoints only)."""

    method: Method
    path: str  # `{name}` marks a parameter
    permission: Permission
    handle: Callable[[Request], Awaitable[Reply | EventStream]]
    document: Mapping[str, Any] = field(default_factory=dict)  # its OpenAPI operation
    keyless_networks: str | None = None


@dataclass(frozen=True, slots=True)
class View:
    """A page's template (of the integration's `templates/`, named `<name>/<file>.html`) and what it is given.

    `is_part`: the template is a part of a page that is fetched alone (`ui.live`); it does not extend the layout. The value
    `is_part` says the same to the template. `status` is 200, and 422 as the answer to a form, unless said.
    """

    template: str
    title: str
    values: Mapping[str, Any] = field(default_factory=dict)
    is_part: bool = False
    status: int | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """A page at `/<integration>/…`; `submit` answers its form with an address to go to, or a View with the errors.

    `submit_permission`: of the form, where it is another than the page's. `max_file_bytes`: its form is
    multipart/form-data and may bring files (`Request.files`), so many bytes at most. `shared_until`: live topics; a part
    (`View.is_part`) that is the same for all with equal permissions, language, zone and address, until one of these is told.
    It is made once for all of them, and its `Request.principal` is nobody's: permissions and role, no id and no name.
    """

    path: str
    permission: Permission
    show: Callable[[Request], Awaitable[View]]
    submit: Callable[[Request, Mapping[str, str]], Awaitable[View | str]] | None = None
    submit_permission: Permission | None = None
    max_file_bytes: int | None = None
    shared_until: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class NewJob:
    id: str
    status: str
    is_new: bool


@dataclass(frozen=True, slots=True)
class JobStanding:
    """How a job of the integration's own stands; `step` is the name of its newest step, and `data` what that told."""

    id: str
    status: str  # pending, processing, completed, error, cancelled
    step: str = ""
    data: Mapping[str, Any] = field(default_factory=dict)
    error: str | None = None

    @property
    def is_ended(self) -> bool:
        return self.status not in {"pending", "processing"}


@dataclass(frozen=True, slots=True)
class TokenStatus:
    has_token: bool
    length: int | None
    expires_at: datetime | None
    renewed_at: datetime | None
    source: str | None  # login, manual


@dataclass(frozen=True, slots=True)
class Account:
    """A person's, as far as an integration may see it."""

    id: str
    name: str
    email: str
    role: Role


class Host(Protocol):
    """What the hub gives to an integration."""

    @property
    def clock(self) -> Clock: ...

    @property
    def public_url(self) -> str: ...

    def setting(self, name: str) -> Any:
        """In force now; a secret comes as core.redaction.Secret, or None."""

    def upstream(self, name: str, account: str = "default") -> Upstream: ...

    async def enqueue(
        self,
        type: str,
        payload_raw: str,
        *,
        by: Principal,
        idempotency_key: str | None = None,
        unique_key: str | None = None,
    ) -> NewJob:
        """Raises: InvalidField (payload), Conflict (another body under the same key)."""

    async def job(self, id: str) -> JobStanding | None:
        """None: there is none (any more), or it is not of the integration's own types. News: the live topic `jobs`."""

    async def token_status(self, upstream: str) -> TokenStatus: ...

    async def keep_token(self, upstream: str, token: Secret, *, by: Principal, client: str | None) -> None: ...

    async def read(self, unit: Callable[[Tx], T]) -> T: ...

    async def write(self, unit: Callable[[Tx], T]) -> T: ...

    def publish(self, topic: str, id: str = "") -> None: ...

    def audit(self, tx: Tx, *, by: Principal, action: str, target: str, client: str | None, **details: Any) -> None: ...

    @property
    def files(self) -> Files: ...

    def accounts(self, tx: Tx, *, role: Role | None = None) -> Sequence[Account]:
        """Of people who may sign in, by name; of one role, or of all."""

    def seal(self, secret: Secret, *, purpose: str) -> bytes:
        """For the store: encrypted with the hub's key, and opened again only for the same `purpose`."""

    def unseal(self, sealed: bytes, *, purpose: str) -> Secret:
        """Raises: ConfigError: sealed with a key that this hub doesn't have, or for another purpose."""

    def report_fault(self, tx: Tx, fault: FaultReport) -> None:
        """Open an incident, unless the one of this key is open."""

    def end_fault(self, tx: Tx, key: str) -> None:
        """It is well again: its incident recovers, where one is open."""

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
        """Queue a message to an address, in the transaction that makes it so; its id.

        It leaves after the commit, in order for each address, and is tried for a day; once only where `kind` can't take one
        back. `Offer.on_message` hears what became of it. `subject` is one line: what it is for on the record, and the subject
        of a mail; the text is forgotten when it has come to an end. Raises: InvalidField: kind, to, subject, text.
        """

    def withdraw_message(self, tx: Tx, message_id: str) -> bool:
        """It is not sent any more, and nothing more is heard of it; False: it is under way, or over, or not one's own."""

    def message_kinds(self, tx: Tx) -> Sequence[MessageKind]:
        """Those that take messages to an address."""

    async def signals_of(self, task: str) -> Sequence[SignalStanding]:
        """The signals that run a task of this integration, by name."""

    async def look_now(self, task: str, *, by: Principal) -> bool:
        """Begin a run of the task by one of its signals, also of one that is paused.

        Lock and throttle hold as for everybody. False: no run was begun (no signal has the task, one runs, or has just begun).
        """

    def events_ticket(self, job_id: str) -> str:
        """An address of the job's events with a ticket of 10 minutes in it, for a browser's EventSource."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """What an integration gives to the hub; each part may be empty."""

    routes: Sequence[Route] = ()
    pages: Sequence[Page] = ()
    nav: Sequence[NavItem] = ()
    loops: Sequence[Loop] = ()
    signal_tasks: Sequence[SignalTask] = ()
    signal_addresses: Sequence[SignalAddress] = ()
    channels: Sequence[ChannelKind] = ()
    job_runs: Mapping[str, Handler] = field(
        default_factory=dict
    )  # by type, of those declared with sdk.jobs.run_of_offer
    # What became of a message of its own; in the transaction that keeps so, so it must only write.
    on_message: Callable[[Tx, MessageDone], None] | None = None
    # What somebody wrote to us, by whichever integration's kind of channel; in the transaction that takes it.
    on_received: Callable[[Tx, MessageReceived], None] | None = None
    sockets: Sequence[SocketRoute] = ()
    health: Sequence[HealthItem] = ()
    # Whether it is at work without its settings too, as where its system comes to us; quick, without asking the store.
    is_in_use: Callable[[], bool] | None = None
    metadata: "MetaData | None" = None
    start: Callable[[], Awaitable[None]] | None = None
    stop: Callable[[], Awaitable[None]] | None = None


class Integration(Protocol):
    """`folder` holds `templates/`, `translations/`, `migrations/`, as many as there are, and `frames/` (built-in templates)."""

    @property
    def manifest(self) -> Manifest: ...

    @property
    def folder(self) -> Path: ...

    @property
    def upstreams(self) -> Sequence[UpstreamDeclaration]: ...

    @property
    def job_types(self) -> Sequence[JobType]: ...

    def setup(self, host: Host) -> Offer: ...
