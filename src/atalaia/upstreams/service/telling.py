"""Trouble and its end, told to the slices above, with what people wrote for the day it comes."""

from datetime import datetime

from atalaia.sdk.transaction import Tx
from atalaia.upstreams.events import Trouble, UpstreamBack, UpstreamFailing
from atalaia.upstreams.model.registered import Key
from atalaia.upstreams.queries import notes


def tell_failing(tx: Tx, key: Key, trouble: Trouble, *, title: str, reason: str, at: datetime) -> None:
    written = notes.find(tx, key[0])
    runbook = "\n\n".join(text for text in (written.runbook, written.contacts) if text)
    tx.emit(
        UpstreamFailing(
            upstream=key[0], title=title, account=key[1], trouble=trouble, reason=reason, runbook=runbook, at=at
        )
    )


def tell_back(tx: Tx, key: Key, trouble: Trouble, *, title: str, at: datetime) -> None:
    tx.emit(UpstreamBack(upstream=key[0], title=title, account=key[1], trouble=trouble, at=at))
