"""Whether anybody says "look now": without that nothing is closed, and every page of operations has to say so."""

from datetime import datetime, timedelta
from typing import Final

import msgspec

from atalaia.core.translations import N_
from atalaia.integrations.binance.setup import TASK
from atalaia.sdk.integration import Host

# With a signal every 2 s this is ten times nothing.
SILENCE: Final = timedelta(seconds=30)


class Looked(msgspec.Struct, frozen=True):
    """`trouble` is empty where all is well; `href` leads to where it is mended."""

    at: datetime | None
    trouble: str
    hint: str
    href: str
    action: str


async def looked(host: Host) -> Looked:
    signals = await host.signals_of(TASK)
    if not signals:
        return Looked(
            None,
            N_("Nobody watches: there is no signal."),
            N_("Make one for auto-close, and a machine that sends it every 2 seconds."),
            f"/signals/-/new?task={TASK}",
            N_("New signal"),
        )
    newest = max(signals, key=lambda each: (each.last_started_at is not None, each.last_started_at))
    at = newest.last_started_at
    if at is None:
        return Looked(at, N_("Nobody watches: the signal was never sent."), _SEND, newest.href, _OPEN)
    if host.clock.now() - at > SILENCE:
        return Looked(at, N_("Nobody watches any more: no signal comes."), _SEND, newest.href, _OPEN)
    return Looked(at, "", "", newest.href, "")


_SEND: Final = N_("Nothing is closed until it comes. Its page has the lines for the machine that sends it.")
_OPEN: Final = N_("Open the signal")
