"""What agents tell the slices above. Handlers run in the transaction of the batch, or of the leader's look-out."""

from datetime import datetime

from atalaia.agents.model.agents import CLOCK_OFF_MS
from atalaia.agents.model.wire import Ping, Result, Samples
from atalaia.core.events import Event


class RecordsReceived(Event, frozen=True):
    """A batch of records, each told once however often it was sent.

    Times in the records are the agent's, in ms. `clock_skew_ms` is the hub's clock less the agent's when it was sent;
    beyond a minute the agent's clock counts as wrong (`is_clock_off`): a reader adds the skew to put a time right.
    Results of tries are not among `results`.
    """

    agent_id: str
    agent_name: str
    results: list[Result]
    pings: list[Ping]
    samples: list[Samples]
    received_at: datetime
    clock_skew_ms: float

    @property
    def is_clock_off(self) -> bool:
        return abs(self.clock_skew_ms) > CLOCK_OFF_MS


class AgentSilent(Event, frozen=True):
    """Nothing was heard of it for a minute: what it measures is unknown from now on."""

    agent_id: str
    agent_name: str
    last_seen_at: datetime
    at: datetime


class AgentBack(Event, frozen=True):
    agent_id: str
    agent_name: str
    at: datetime


class AgentRetired(Event, frozen=True):
    """It will measure no more; its work is gone with it."""

    agent_id: str
    agent_name: str
    at: datetime
