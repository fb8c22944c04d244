"""What the host finds. It needs no settings: people enter accounts, and while there are none it is quiet."""

from dataclasses import replace
from pathlib import Path
from typing import Final

from atalaia.integrations.binance import setup
from atalaia.integrations.binance.manifest import MANIFEST, NAME
from atalaia.sdk.integration import Host, Offer
from atalaia.sdk.jobs import JobType
from atalaia.sdk.signals import SignalAddress
from atalaia.sdk.upstreams import UpstreamDeclaration

SIGNAL: Final = "monitor-execution"
_ADDRESSES: Final = (SignalAddress(path="/functions/v1/monitor-execution", signal=SIGNAL),)


class Binance:
    manifest = MANIFEST
    folder = Path(__file__).parent
    upstreams = (
        UpstreamDeclaration(
            name=NAME,
            title="Binance",
            polling_interval_s=2.0,
            # All tries of a reading end within the default recv_window_ms, so that a repeat is never too old.
            connect_s=2.0,
            read_s=4.0,
            whole_s=5.0,
        ),
    )
    job_types: tuple[JobType, ...] = ()

    def setup(self, host: Host) -> Offer:
        offer = setup.offer(host)
        return replace(offer, signal_addresses=(*_ADDRESSES, *offer.signal_addresses))


integration = Binance()
