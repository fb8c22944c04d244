"""Whether the chargers can be read, and whether any connects straight, as this process knows it: nobody who asks waits for the store."""

from atalaia.integrations.cvepro.manifest import is_configured
from atalaia.integrations.cvepro.model.feeds import CHARGERS
from atalaia.integrations.cvepro.queries.chargers import feed
from atalaia.integrations.cvepro.queries.stations import has_any
from atalaia.sdk.contribution import HealthItem, Loop
from atalaia.sdk.integration import Host
from atalaia.sdk.transaction import Tx

PERIOD_S = 1.0


class Standing:
    def __init__(self, host: Host) -> None:
        self._host = host
        self._is_failing = False
        self._has_stations = False

    def is_well(self) -> bool:
        return not self._is_failing or not is_configured(self._host.setting)

    def is_in_use(self) -> bool:
        """Also without the cloud: by chargers that connect straight."""
        return self._has_stations

    def note(self, *, is_failing: bool) -> None:
        self._is_failing = is_failing

    def health(self) -> HealthItem:
        return HealthItem("cveApi", self.is_well, keeps_from_serving=False)

    def loop(self) -> Loop:
        """On every hub: only one of several reads the chargers."""
        return Loop("cvepro_standing", PERIOD_S, self.look, leader_only=False)

    async def look(self) -> None:
        def unit(tx: Tx) -> tuple[bool, bool]:
            return feed(tx, CHARGERS).is_stale, has_any(tx)

        is_failing, self._has_stations = await self._host.read(unit)
        if is_configured(self._host.setting):
            self.note(is_failing=is_failing)
