"""Credentials of accounts: sealed for the store, opened for signing alone."""

from typing import Final

from atalaia.integrations.binance.exchange.port import Credentials
from atalaia.integrations.binance.queries.accounts import AccountRow
from atalaia.sdk.integration import Host

_KEY: Final = "api_key:{id}"
_SECRET: Final = "api_secret:{id}"  # noqa: S105 - what the seal is for


def seal(host: Host, account_id: str, credentials: Credentials) -> tuple[bytes, bytes]:
    """Key and secret, each for this account alone."""
    return (
        host.seal(credentials.api_key, purpose=_KEY.format(id=account_id)),
        host.seal(credentials.api_secret, purpose=_SECRET.format(id=account_id)),
    )


def credentials_of(host: Host, row: AccountRow) -> Credentials:
    """Raises: ConfigError: sealed with a key that this hub doesn't have."""
    key = host.unseal(row.sealed_key, purpose=_KEY.format(id=row.id))
    return Credentials(key, host.unseal(row.sealed_secret, purpose=_SECRET.format(id=row.id)))
