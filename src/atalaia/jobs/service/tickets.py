"""A ticket for the events of one job: for a browser's EventSource, which sends no headers."""

import base64
import binascii
import hmac

from atalaia.core.clock import Clock, to_ms
from atalaia.core.errors import ConfigError
from atalaia.store.encryption import Sealer

TTL_S = 600
MAX_TICKET = 500
_PURPOSE = "jobs.events"


class Tickets:
    """The job's id and the ticket's end, sealed with the hub's key: any hub with that key takes it, and nobody makes one."""

    def __init__(self, sealer: Sealer, *, clock: Clock) -> None:
        self._sealer = sealer
        self._clock = clock

    def make(self, job_id: str) -> str:
        until_ms = to_ms(self._clock.now()) + TTL_S * 1000
        return base64.urlsafe_b64encode(self._sealer.seal(f"{until_ms}.{job_id}", purpose=_PURPOSE)).decode()

    def is_good(self, job_id: str, ticket: str) -> bool:
        if len(ticket) > MAX_TICKET:
            return False
        try:
            said = self._sealer.open(base64.urlsafe_b64decode(ticket), purpose=_PURPOSE)
        except (ConfigError, binascii.Error, ValueError):
            return False
        until, _, id_ = said.partition(".")
        return int(until) >= to_ms(self._clock.now()) and hmac.compare_digest(id_.encode(), job_id.encode())
