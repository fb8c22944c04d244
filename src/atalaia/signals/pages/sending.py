"""The lines to paste where a signal is to come from."""

from math import ceil
from urllib.parse import quote

import msgspec

from atalaia.signals.model.signals import SignalOut

_USUAL_EVERY_S = 2.0
_SPARE = 4 / 3  # so that jitter does not bring two signals nearer to each other than is allowed


class Lines(msgspec.Struct, frozen=True):
    """`agent` is a section of the agent's file, `alone` starts an agent that only signals."""

    address: str
    key: str
    curl: str
    agent: str
    alone: str


def lines_of(signal: SignalOut, public_url: str) -> Lines:
    address = f"{public_url.rstrip('/')}/api/signals/{quote(signal.name, safe='')}"
    every = f"{_every_s(signal):g}"
    return Lines(
        address=address,
        key=f"atalaia key create {signal.name} --scope signal:{signal.name}",
        curl=(
            f"curl -fsS -m 10 -X POST {address} \\\n"
            '  -H "x-cron-secret: $KEY" -H \'Content-Type: application/json\' -d \'{"source": "cron"}\''
        ),
        agent=f'[signal]\nurl = "{address}"\nkey_file = "/etc/atalaia/signal.key"\ninterval_s = {every}',
        alone=f"ATALAIA_SIGNAL_KEY=$KEY python3 agent.pyz --signal-url {address} --signal-interval-s {every}",
    )


def _every_s(signal: SignalOut) -> float:
    if signal.expect_every_s is not None:
        return signal.expect_every_s
    return max(_USUAL_EVERY_S, ceil(signal.min_interval_s * _SPARE))
