"""What routes and pages work with."""

from dataclasses import dataclass

from atalaia.integrations.binance.accounts import Accounts
from atalaia.integrations.binance.exchange.port import Exchange
from atalaia.integrations.binance.operations import Operations
from atalaia.integrations.binance.people import By
from atalaia.integrations.binance.trades import Trades
from atalaia.sdk.integration import Host, Request


@dataclass(frozen=True, slots=True)
class Desk:
    host: Host
    accounts: Accounts
    operations: Operations
    trades: Trades


def open_desk(host: Host, exchange: Exchange) -> Desk:
    return Desk(host, Accounts(host, exchange), Operations(host, exchange), Trades(host))


def by_of(request: Request) -> By:
    return By(request.principal, request.client)
