"""One measurement from description to outcome; nothing that a probe does wrong gets past here."""

from __future__ import annotations

from time import monotonic

from atalaia_agent.deadline import elapsed_ms
from atalaia_agent.failures import as_probe_error
from atalaia_agent.outcome import Outcome
from atalaia_agent.probes import Context, load
from atalaia_agent.wire import Probe

_MAX_MESSAGE_CHARS = 500
_MIN_SECRET_CHARS = 4


def measure(probe: Probe, context: Context) -> Outcome:
    found = Outcome()
    started = monotonic()
    try:
        load(probe.kind)(probe, context, found)
    except Exception as failure:  # noqa: BLE001 - the boundary: a broken probe is a result, not the end of the agent
        found.fail(as_probe_error(failure))
    if found.ms is None:
        found.ms = elapsed_ms(started)
    if found.message:
        found.message = _without_secrets(found.message, probe)[:_MAX_MESSAGE_CHARS]
    return found


def _without_secrets(message: str, probe: Probe) -> str:
    for secret in probe.secrets.values():
        if len(secret) >= _MIN_SECRET_CHARS:
            message = message.replace(secret, "***")
    return message
