"""What agents have to do: set by the slices above, in their own transactions."""

from collections.abc import Iterable, Sequence

from atalaia.agents.model.wire import Probe
from atalaia.agents.queries import work as queries
from atalaia.sdk.transaction import Tx
from atalaia.store.encryption import Sealer

PLAN_TOPIC = "plan"


class Work:
    """`owner` is the slice that sets it; probe ids are unique within an owner. What is set again changes nothing."""

    def __init__(self, sealer: Sealer) -> None:
        self._sealer = sealer

    def put_probe(self, tx: Tx, *, owner: str, probe: Probe, agent_ids: Iterable[str]) -> None:
        """Let exactly these agents run the probe, in this form."""
        wanted = set(agent_ids)
        present = queries.agents_of_probe(tx, owner=owner, probe_id=probe.id, sealer=self._sealer)
        for agent_id in sorted(wanted):
            if present.get(agent_id) != probe:
                queries.put(tx, owner=owner, agent_id=agent_id, probes=[probe], sealer=self._sealer)
                changed(tx, agent_id)
        for agent_id in sorted(present.keys() - wanted):
            queries.drop(tx, owner=owner, agent_id=agent_id, probe_ids=[probe.id])
            changed(tx, agent_id)

    def drop_probe(self, tx: Tx, *, owner: str, probe_id: str) -> None:
        """Nobody runs it any more."""
        for agent_id in sorted(queries.agents_of_probe(tx, owner=owner, probe_id=probe_id, sealer=self._sealer)):
            queries.drop(tx, owner=owner, agent_id=agent_id, probe_ids=[probe_id])
            changed(tx, agent_id)

    def replace_work(self, tx: Tx, *, owner: str, agent_id: str, probes: Sequence[Probe]) -> None:
        """All that `owner` wants of one agent."""
        wanted = {probe.id: probe for probe in probes}
        present = {probe.id: probe for probe in queries.probes_of_agent(tx, agent_id, sealer=self._sealer, owner=owner)}
        new = [probe for id_, probe in wanted.items() if present.get(id_) != probe]
        gone = [id_ for id_ in present if id_ not in wanted]
        if new:
            queries.put(tx, owner=owner, agent_id=agent_id, probes=new, sealer=self._sealer)
        if gone:
            queries.drop(tx, owner=owner, agent_id=agent_id, probe_ids=gone)
        if new or gone:
            changed(tx, agent_id)


def changed(tx: Tx, agent_id: str) -> None:
    """The agent's plan is another one: whoever waits for it is answered right after the commit."""
    queries.change_etag(tx, agent_id)
    tx.publish(PLAN_TOPIC, agent_id)
