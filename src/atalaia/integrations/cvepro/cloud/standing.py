"""Whether the chargers can be read, as this process knows it: /health asks without waiting for the store."""

from atalaia.integrations.cvepro.manifest import is_configured
from atalaia.integrations.cvepro.model.feeds import CHARGERS
from atalaia.integrations.cvepro.queries.chargers import feed
from atalaia.sdk.contribution import HealthItem, Loop
from atalaia.sdk.integration import Host

PERIOD_S = 1.0


class Standing:
    def __init__(self, host: Host) -> None:
        self._host = host
        self._is_failing = False

    def is_well(self) -> bool:
        return not self._is_failing or not is_configured(self._host.setting)

    def note(self, *, is_failing: bool) -> None:
        self._is_failing = is_failing

    def health(self) -> HealthItem:
        return HealthItem("cveApi", self.is_well, keeps_from_serving=False)

    def loop(self) -> Loop:
        """On every hub: only one of several reads the chargers."""
        return Loop("cvepro_standing", PERIOD_S, self._look, leader_only=False)

    async def _look(self) -> None:
        if is_configured(self._host.setting):
            found = await self._host.read(lambda tx: feed(tx, CHARGERS))
            self.note(is_failing=found.is_stale)
