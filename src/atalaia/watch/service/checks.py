"""Making, changing, pausing and removing checks, as parts of a unit of work."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec
from msgspec.structs import replace

from atalaia.core.clock import from_ms, to_ms
from atalaia.core.errors import InvalidField, NotFound
from atalaia.core.ids import new_id, new_uuid4
from atalaia.core.translations import N_
from atalaia.sdk.transaction import Tx
from atalaia.store.encryption import Sealer
from atalaia.watch.model.checks import CheckKind, CheckSpec, check_kept, checked
from atalaia.watch.model.observations import Moved, Paused, Resumed
from atalaia.watch.model.standing import Standing
from atalaia.watch.model.states import CheckState
from atalaia.watch.model.values import Check, Place
from atalaia.watch.ports import Fleet, ProbeOrder
from atalaia.watch.queries import checks as queries
from atalaia.watch.queries import history, states
from atalaia.watch.service.deciding import TOPIC, Decider, Seen
from atalaia.watch.service.incidents import Incidents

PURPOSE = "watch.check"
HUB_OPTIONS = frozenset({"thresholds"})


class CheckBook:
    """All that changes what is watched. `by` is the name of who does it."""

    def __init__(self, *, fleet: Fleet, sealer: Sealer, decider: Decider, incidents: Incidents) -> None:
        self._fleet = fleet
        self._sealer = sealer
        self._decider = decider
        self._incidents = incidents

    def add(self, tx: Tx, spec: CheckSpec, *, by: str, now: datetime) -> Check:
        """Raises InvalidField."""
        spec = checked(spec)
        is_heartbeat = spec.kind is CheckKind.HEARTBEAT
        places = () if is_heartbeat else tuple(self._places(tx, self._agents(tx, spec)))
        check = _fresh(spec, places, ping_id=new_uuid4() if is_heartbeat else None, now=now)
        queries.add(tx, check, spec, secrets=self._seal(spec.secrets))
        standing = Standing(state=check.state, since_ms=to_ms(now), is_paused=check.is_paused)
        states.add(tx, check.id, standing)
        self._note(tx, check.id, "created", by=by, now=now)
        if places and not check.is_paused:
            self._fleet.assign(tx, self.order_of(spec, check.id), [place.agent_id for place in places])
        return check

    def change(self, tx: Tx, check_id: str, patch: Mapping[str, Any], *, by: str, now: datetime) -> Check:
        """`patch`: fields of CheckSpec with their new values; null sets one back to what it is unless said.

        In `secrets` each name is set by itself, null takes it away.

        Raises:
            NotFound, InvalidField, msgspec.ValidationError
        """
        before = self.held(tx, check_id)
        known = replace(before.spec, secrets=self.secrets(tx, check_id))
        spec = checked(_patched(known, patch))
        if spec.kind is not known.kind:
            raise InvalidField("kind", N_("The kind can't be changed: make a new check."))
        given = patch.get("secrets")
        check_kept(known, spec, kept=spec.secrets.keys() - (given if isinstance(given, Mapping) else {}).keys())
        agent_ids = self._agents(tx, spec)
        queries.change(tx, check_id, spec, secrets=self._seal(spec.secrets), now=now)
        if spec.kind is not CheckKind.HEARTBEAT and set(agent_ids) != set(before.spec.agents):
            self._place(tx, check_id, agent_ids, kept=before.places)
        self._note(tx, check_id, "changed", by=by, now=now, fields=sorted(patch))
        if spec.paused != before.is_paused:
            self.pause(tx, check_id, is_paused=spec.paused, by=by, now=now)
        else:
            self._order(tx, check_id)
            self._decider.refresh(tx, check_id, now_ms=to_ms(now))
        return self.found(tx, check_id)

    def pause(self, tx: Tx, check_id: str, *, is_paused: bool, by: str, now: datetime) -> Check:
        before = self.held(tx, check_id)
        if before.is_paused == is_paused:
            return before
        queries.set_paused(tx, check_id, is_paused=is_paused, now=now)
        at_ms = to_ms(now)
        seen = Paused(at_ms=at_ms) if is_paused else Resumed(at_ms=at_ms)
        self._decider.take(tx, [Seen(check_id, seen)], now_ms=at_ms)
        self._note(tx, check_id, "paused" if is_paused else "resumed", by=by, now=now)
        self._order(tx, check_id)
        return self.found(tx, check_id)

    def remove(self, tx: Tx, check_id: str, *, by: str, now: datetime) -> Check:
        check = self.found(tx, check_id)
        self._incidents.drop_check(tx, check.watched, at=now, by=by)
        self._fleet.withdraw(tx, check_id)
        queries.remove(tx, check_id)
        tx.publish(TOPIC, check_id)
        return check

    def move(self, tx: Tx, check_id: str, *, avoid: str, now: datetime) -> None:
        """Have another agent measure what the hub had picked `avoid` for, if there is one."""
        agent_id = self._pick(tx, avoid={avoid})
        if agent_id is None:
            return
        queries.set_places(tx, check_id, [Place(agent_id=agent_id, is_picked=True)])
        moved = Moved(old_place=avoid, place=agent_id, at_ms=to_ms(now))
        self._decider.take(tx, [Seen(check_id, moved)], now_ms=to_ms(now))
        self._order(tx, check_id)

    def place_orphans(self, tx: Tx) -> int:
        """Find an agent for checks that have none; how many got one."""
        placed = 0
        for check_id in queries.without_place(tx):
            agent_id = self._pick(tx)
            if agent_id is None:
                break
            queries.set_places(tx, check_id, [Place(agent_id=agent_id, is_picked=True)])
            self._order(tx, check_id)
            placed += 1
        return placed

    def found(self, tx: Tx, check_id: str) -> Check:
        check = queries.find(tx, check_id)
        if check is None:
            raise NotFound(N_("there is no such check"))
        return check

    def held(self, tx: Tx, check_id: str) -> Check:
        """As it is, and stays until the end of the transaction: what is written back is made of what was read."""
        states.lock(tx, [check_id])
        return self.found(tx, check_id)

    def secrets(self, tx: Tx, check_id: str) -> dict[str, str]:
        sealed = queries.secrets_of(tx, check_id)
        return (
            {}
            if sealed is None
            else msgspec.json.decode(self._sealer.open(sealed, purpose=PURPOSE), type=dict[str, str])
        )

    def order_of(self, spec: CheckSpec, probe_id: str) -> ProbeOrder:
        """`spec` with its secrets."""
        return ProbeOrder(
            id=probe_id,
            kind=str(spec.kind),
            target=spec.target,
            interval_s=spec.interval_s,
            timeout_s=spec.timeout_s,
            options={name: value for name, value in spec.options.items() if name not in HUB_OPTIONS},
            secrets=spec.secrets,
            labels=spec.labels,
        )

    def resolve_agent(self, tx: Tx, name_or_id: str) -> str:
        """Raises InvalidField."""
        agent = self._fleet.find(tx, name_or_id)
        if agent is None:
            raise InvalidField("agents", N_("There is no agent {name}."), name=name_or_id)
        return agent.id

    def pick_agent(self, tx: Tx) -> str | None:
        return self._pick(tx)

    # -- inside

    def _agents(self, tx: Tx, spec: CheckSpec) -> list[str]:
        return list(dict.fromkeys(self.resolve_agent(tx, name) for name in spec.agents))

    def _place(self, tx: Tx, check_id: str, agent_ids: Sequence[str], *, kept: Sequence[Place] = ()) -> None:
        queries.set_places(tx, check_id, self._places(tx, agent_ids, kept=kept))

    def _places(self, tx: Tx, agent_ids: Sequence[str], *, kept: Sequence[Place] = ()) -> list[Place]:
        """The named agents, else the one picked before, else one that is picked now."""
        places = [Place(agent_id=agent_id) for agent_id in agent_ids] or [place for place in kept if place.is_picked]
        if places:
            return sorted(places, key=lambda place: place.agent_id)
        picked = self._pick(tx)
        return [Place(agent_id=picked, is_picked=True)] if picked else []

    def _pick(self, tx: Tx, *, avoid: frozenset[str] | set[str] = frozenset()) -> str | None:
        return self._fleet.pick(tx, but_not=avoid)

    def _order(self, tx: Tx, check_id: str) -> None:
        """Tell the agents what they measure now; of a paused check, nothing."""
        check = self.found(tx, check_id)
        if check.spec.kind is CheckKind.HEARTBEAT:
            return
        if check.is_paused or not check.places:
            self._fleet.withdraw(tx, check_id)
            return
        spec = replace(check.spec, secrets=self.secrets(tx, check_id))
        self._fleet.assign(tx, self.order_of(spec, check_id), [place.agent_id for place in check.places])

    def _seal(self, secrets: dict[str, str]) -> bytes | None:
        return self._sealer.seal(msgspec.json.encode(secrets).decode(), purpose=PURPOSE) if secrets else None

    def _note(self, tx: Tx, check_id: str, kind: str, *, by: str, now: datetime, **data: Any) -> None:
        history.add_events(tx, [(check_id, now, kind, {"by": by, **data})])
        tx.publish(TOPIC, check_id)


_DEFAULTS = msgspec.to_builtins(CheckSpec(name="", kind=CheckKind.HTTP))


def _fresh(spec: CheckSpec, places: tuple[Place, ...], *, ping_id: str | None, now: datetime) -> Check:
    """A new check as it will be found in the store."""
    kept_now = from_ms(to_ms(now))
    agents = [place.agent_id for place in places if not place.is_picked]
    return Check(
        id=new_id(),
        spec=replace(spec, secrets={}, agents=agents),
        places=places,
        has_secrets=bool(spec.secrets),
        is_paused=spec.paused,
        revision=1,
        created_at=kept_now,
        updated_at=kept_now,
        state=CheckState.PAUSED if spec.paused else CheckState.UNKNOWN,
        since_at=kept_now,
        ping_id=ping_id,
    )


def _patched(spec: CheckSpec, patch: Mapping[str, Any]) -> CheckSpec:
    fields = msgspec.to_builtins(spec)
    for name, value in patch.items():
        if name == "secrets" and isinstance(value, Mapping):
            merged = fields["secrets"] | dict(value)
            fields["secrets"] = {key: secret for key, secret in merged.items() if secret is not None}
        else:
            fields[name] = _DEFAULTS.get(name) if value is None else value
    return msgspec.convert(fields, CheckSpec)
