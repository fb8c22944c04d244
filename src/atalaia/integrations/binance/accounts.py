"""Accounts: entered by people, checked with the exchange, kept sealed."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from atalaia.core.errors import Conflict, InvalidField, NotFound
from atalaia.core.ids import new_id
from atalaia.core.translations import N_
from atalaia.integrations.binance.exchange.failures import Refused
from atalaia.integrations.binance.exchange.port import Account, Credentials, Exchange
from atalaia.integrations.binance.people import By
from atalaia.integrations.binance.queries import accounts
from atalaia.integrations.binance.queries.accounts import AccountRow
from atalaia.integrations.binance.sealing import seal
from atalaia.sdk.integration import Host
from atalaia.sdk.transaction import Tx

_LONGEST_NAME: Final = 80
_BAD_SIGNATURE: Final = -1022
_SHOWN: Final = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountView:
    """Without key and secret; `key_end` are the key's last characters, `operations` counts the active ones."""

    id: str
    name: str
    key_end: str
    created_at: datetime
    operations: int


class Accounts:
    def __init__(self, host: Host, exchange: Exchange) -> None:
        self._host = host
        self._exchange = exchange

    async def all(self) -> list[AccountView]:
        """By name."""

        def unit(tx: Tx) -> list[AccountView]:
            counts = accounts.count_operations(tx)
            return [_view(row, counts.get(row.id, 0)) for row in accounts.all_of_them(tx)]

        return await self._host.read(unit)

    async def add(self, *, name: str, credentials: Credentials, by: By) -> AccountView:
        """Checked with the exchange before anything is kept.

        Raises:
            InvalidField: name, api_key or api_secret, with what is wrong.
            Conflict: there is one of this name.
            TemporaryFailure: the exchange can't be asked now.
        """
        name = name.strip()
        if not 0 < len(name) <= _LONGEST_NAME:
            raise InvalidField("name", N_("1 to {most} characters"), most=_LONGEST_NAME)
        if not name.isprintable():
            raise InvalidField("name", N_("This can't be read."))
        account_id = new_id()
        await _check(self._exchange.account(account_id, credentials))
        key, secret = seal(self._host, account_id, credentials)
        row = AccountRow(
            id=account_id,
            name=name,
            sealed_key=key,
            sealed_secret=secret,
            key_end=credentials.api_key.reveal()[-_SHOWN:],
            created_at=self._host.clock.now(),
        )

        def unit(tx: Tx) -> None:
            if not accounts.add(tx, row):
                raise Conflict(N_("There is an account of this name already."))
            self._audit(tx, "binance.account_added", row, by)

        await self._host.write(unit)
        return _view(row, 0)

    async def remove(self, id_or_name: str, *, by: By) -> None:
        """Its history stays. Raises: NotFound; Conflict: it has active operations."""

        def unit(tx: Tx) -> None:
            row = accounts.find(tx, id_or_name)
            if row is None or not accounts.lock(tx, row.id):
                raise NotFound(N_("There is no such account."))
            if accounts.count_operations(tx).get(row.id):
                raise Conflict(N_("The account has operations."), hint=N_("Close them, or give them up, first."))
            accounts.remove(tx, row.id)
            self._audit(tx, "binance.account_removed", row, by)

        await self._host.write(unit)

    def _audit(self, tx: Tx, action: str, row: AccountRow, by: By) -> None:
        self._host.audit(
            tx, by=by.principal, action=action, target=f"binance_account:{row.id}", client=by.client, name=row.name
        )


async def _check(account: Account) -> None:
    """Raises: InvalidField."""
    try:
        rights = await account.restrictions()
        if rights.can_withdraw:
            raise InvalidField(
                "api_key",
                N_("This key may withdraw money, and is not taken."),
                hint=N_("Make a key without the permission to withdraw."),
            )
        if not rights.can_trade_futures:
            raise InvalidField("api_key", N_("This key may not trade futures."))
        is_hedge_mode = await account.is_hedge_mode()
    except Refused as error:
        field = "api_secret" if error.exchange_code == _BAD_SIGNATURE else "api_key"
        raise InvalidField(field, N_("The exchange refuses this key: {why}"), why=str(error)) from error
    if not is_hedge_mode:
        raise InvalidField(
            "api_key",
            N_("The account is not in hedge mode."),
            hint=N_("Set the position mode to Hedge at the exchange."),
        )


def _view(row: AccountRow, operations: int) -> AccountView:
    return AccountView(id=row.id, name=row.name, key_end=row.key_end, created_at=row.created_at, operations=operations)
