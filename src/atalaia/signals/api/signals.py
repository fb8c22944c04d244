"""JSON routes below /api/signals, past the hot one: what there is, and what people do to it."""

from typing import Annotated, Any

import msgspec
from litestar import Request, delete, get, patch, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, QueryParameter

from atalaia.access.guards import requires
from atalaia.access.requests import client_of, principal_of
from atalaia.core.errors import BadInput
from atalaia.core.permissions import Permission
from atalaia.core.translations import N_
from atalaia.signals.api import document
from atalaia.signals.model.runs import Outcome, Run
from atalaia.signals.model.signals import SignalChange, SignalIn, SignalMade, SignalOut
from atalaia.signals.service import SignalsService
from atalaia.signals.service.book import Actor
from atalaia.signals.service.reading import MOST_HOURS, Rates
from atalaia.web.cursors import DEFAULT_LIMIT, MAX_LIMIT, Listing

AnyRequest = Request[Any, Any, Any]
Signals = NamedDependency[SignalsService]
Limit = Annotated[int, QueryParameter(ge=1, le=MAX_LIMIT)]
Hours = Annotated[int, QueryParameter(ge=1, le=MOST_HOURS)]
_READ: Any = {"guards": [requires(Permission.SIGNALS_READ)], "tags": ["Signals"]}
_WRITE: Any = {"guards": [requires(Permission.SIGNALS_WRITE)], "tags": ["Signals"]}
_IN = msgspec.json.Decoder(SignalIn)
_CHANGE = msgspec.json.Decoder(SignalChange)


class SignalTaskOut(msgspec.Struct, frozen=True):
    name: str
    title: str


class SignalRunBegun(msgspec.Struct, frozen=True):
    signal: str
    run: str
    fence: int


def actor_of(request: AnyRequest) -> Actor:
    return Actor(principal_of(request), client_of(request))


@get("/api/signals", **_READ)
async def list_signals(signals: Signals) -> Listing[SignalOut]:
    """All of them, by name."""
    return Listing(await signals.reading.all())


@get("/api/signal-tasks", **_READ)
async def list_signal_tasks(signals: Signals) -> Listing[SignalTaskOut]:
    """What a signal may do."""
    return Listing([SignalTaskOut(name, title) for name, title in signals.reading.tasks().items()])


# The body is read as it came: a job's payload is kept to the byte.
@post("/api/signals", status_code=201, operation_class=document.Creating, **_WRITE)
async def create_signal(request: AnyRequest, signals: Signals) -> SignalMade:
    """The secret of a webhook that was made here is in this answer alone."""
    return await signals.create(_decoded(_IN, await request.body()), actor_of(request))


@get("/api/signals/{name:str}", **_READ)
async def read_signal(name: FromPath[str], signals: Signals) -> SignalOut:
    return await signals.reading.one(name)


@patch("/api/signals/{name:str}", operation_class=document.Changing, **_WRITE)
async def change_signal(name: FromPath[str], request: AnyRequest, signals: Signals) -> SignalMade:
    """What is left out stays as it is; a `cron` of null ends the schedule."""
    return await signals.change(name, _decoded(_CHANGE, await request.body()), actor_of(request))


@delete("/api/signals/{name:str}", status_code=204, **_WRITE)
async def drop_signal(name: FromPath[str], request: AnyRequest, signals: Signals) -> None:
    """A run that is under way is broken off."""
    await signals.drop(name, actor_of(request))


@get("/api/signals/{name:str}/runs", **_READ)
async def list_signal_runs(
    name: FromPath[str],
    signals: Signals,
    outcome: FromQuery[Outcome | None] = None,
    cursor: FromQuery[str | None] = None,
    limit: Limit = DEFAULT_LIMIT,
) -> Listing[Run]:
    """Newest first; runs that found nothing to do are counted (`/rates`), not kept."""
    runs, following = await signals.reading.runs(name, cursor=cursor, limit=limit, outcome=outcome)
    return Listing(runs, following)


@get("/api/signals/{name:str}/rates", **_READ)
async def read_signal_rates(name: FromPath[str], signals: Signals, hours: Hours = 24) -> Rates:
    """How its signals were answered, by the minute, and how long its runs took, by the hour."""
    return await signals.reading.rates(name, hours=hours)


@post("/api/signals/{name:str}/run", status_code=202, **_WRITE)
async def run_signal(name: FromPath[str], request: AnyRequest, signals: Signals) -> SignalRunBegun:
    """By hand: 409 while a run is under way, 429 where the last one began a moment ago."""
    begun = await signals.run_now(name, actor_of(request))
    return SignalRunBegun(begun.signal, begun.id, begun.fence)


def _decoded(decoder: "msgspec.json.Decoder[Any]", body: bytes) -> Any:
    """Raises: BadInput (not JSON); msgspec.ValidationError (a wrong field)."""
    try:
        return decoder.decode(body)
    except msgspec.ValidationError:
        raise
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadInput(N_("this is not JSON: {why}"), why=str(error)) from error


ROUTES = (
    list_signals,
    list_signal_tasks,
    create_signal,
    read_signal,
    change_signal,
    drop_signal,
    list_signal_runs,
    read_signal_rates,
    run_signal,
)
