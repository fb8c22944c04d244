from typing import Any, cast

import pytest

from atalaia.integrations.binance import integration
from atalaia.integrations.binance.exchange.client import open_exchange
from atalaia.integrations.binance.exchange.failures import Limited
from atalaia.integrations.binance.exchange.port import Credentials
from atalaia.sdk.signals import SignalAddress
from tests.unit.binance.ground import CREDENTIALS, Ground, World, in_world

BASE = "http://127.0.0.1:9"


def test_the_kept_address_gives_the_signal() -> None:
    offer = integration.setup(cast("Any", Ground(BASE)))
    assert SignalAddress(path="/functions/v1/monitor-execution", signal="monitor-execution") in offer.signal_addresses


def test_a_repeat_of_a_reading_is_never_older_than_the_exchange_takes() -> None:
    default = next(each.default for each in integration.manifest.settings if each.key.endswith(".recv_window_ms"))
    assert integration.upstreams[0].whole_s * 1000 <= default


def test_rights_are_asked_for_at_the_exchanges_other_host() -> None:
    urls = []
    for base, rights in (("https://fapi.binance.com/", ""), (BASE, ""), (BASE, "http://127.0.0.1:8/")):
        exchange = open_exchange(Ground(base, restrictions_url=rights))
        urls.append((exchange._futures_url(), exchange._rights_url()))
    assert urls == [
        ("https://fapi.binance.com", "https://api.binance.com"),
        (BASE, BASE),
        (BASE, "http://127.0.0.1:8"),
    ]


def test_the_other_host_has_limits_of_its_own() -> None:
    async def act(world: World) -> None:
        world.faults(ban_s={"value": 30, "only": {"path": "/apiRestrictions"}})
        account = world.exchange.account("main", Credentials(CREDENTIALS.api_key, CREDENTIALS.api_secret))
        with pytest.raises(Limited):
            await account.restrictions()
        with pytest.raises(Limited):
            await account.restrictions()
        assert len(world.log("/apiRestrictions")) == 1
        assert world.exchange.gate.blocked_until() is None
        assert await account.positions() == []

    in_world(act)
