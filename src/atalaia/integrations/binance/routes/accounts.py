"""Accounts: entered with key and secret, which no answer ever has."""

from typing import Final

import msgspec

from atalaia.core.permissions import Permission
from atalaia.integrations.binance.desk import Desk, by_of, typed_credentials
from atalaia.integrations.binance.filters import text_of
from atalaia.integrations.binance.routes import documents as docs
from atalaia.integrations.binance.routes.shapes import account_out
from atalaia.sdk.integration import Reply, Request, Route

PATH: Final = "/api/binance/accounts"


class NewAccount(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    name: str
    api_key: str
    api_secret: str


def account_routes(desk: Desk) -> tuple[Route, ...]:
    async def list_(_request: Request) -> Reply:
        return Reply({"items": [account_out(each) for each in await desk.accounts.all()], "next": None})

    async def add(request: Request) -> Reply:
        new = request.json(NewAccount)
        credentials = typed_credentials(new.api_key, new.api_secret)
        account = await desk.accounts.add(name=new.name, credentials=credentials, by=by_of(request))
        return Reply(account_out(account), status=201)

    async def remove(request: Request) -> Reply:
        await desk.accounts.remove(text_of(request.path_params, "id"), by=by_of(request))
        return Reply(status=204)

    read, write = Permission.TRADING_READ, Permission.TRADING_WRITE
    added = docs.described(
        "Enter an account; its key is checked with the exchange first",
        answer=docs.ACCOUNT,
        status=201,
        body=docs.NEW_ACCOUNT,
        fails=(409,),
    )
    removed = docs.described("Remove an account (id or name)", status=204, fails=(404, 409, 422))
    return (
        Route("GET", PATH, read, list_, docs.described("All accounts", answer=docs.listing(docs.ACCOUNT))),
        Route("POST", PATH, write, add, added),
        Route("DELETE", f"{PATH}/{{id}}", write, remove, removed),
    )
