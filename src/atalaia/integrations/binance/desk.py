"""What routes and pages work with."""

from dataclasses import dataclass

from atalaia.core.errors import InvalidField
from atalaia.core.redaction import Secret
from atalaia.core.translations import N_
from atalaia.integrations.binance.accounts import Accounts
from atalaia.integrations.binance.exchange.port import Credentials, Exchange
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


def typed_credentials(api_key: str, api_secret: str) -> Credentials:
    """As somebody entered them. Raises: InvalidField: what no key of the exchange looks like, and no header may have."""
    typed = {"api_key": api_key.strip(), "api_secret": api_secret.strip()}
    for field, text in typed.items():
        if not (text and text.isascii() and text.isprintable() and " " not in text):
            raise InvalidField(field, N_("This is no key: it has letters and digits alone."))
    return Credentials(Secret(typed["api_key"]), Secret(typed["api_secret"]))
