"""The JSON API of keys: /api/keys."""

from litestar import delete, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from atalaia.access.api.shapes import Cursor, KeyOut, Limit, NewKeyIn, NewKeyOut, key_out, new_key_out
from atalaia.access.guards import requires
from atalaia.access.requests import AnyRequest, client_of, principal_of
from atalaia.access.service.keys import KeyService
from atalaia.core.permissions import Permission
from atalaia.web.cursors import DEFAULT_LIMIT, Listing

_TAGS = ["API keys"]


@get("/api/keys", guards=[requires(Permission.KEYS_ADMIN)], tags=_TAGS, summary="API keys, newest first")
async def list_keys(
    key_service: NamedDependency[KeyService], cursor: Cursor = None, limit: Limit = DEFAULT_LIMIT
) -> Listing[KeyOut]:
    keys, after = await key_service.page(cursor=cursor, limit=limit)
    return Listing([key_out(key) for key in keys], after)


@post("/api/keys", guards=[requires(Permission.KEYS_ADMIN)], tags=_TAGS, summary="Make an API key; shown this once")
async def create_key(
    request: AnyRequest, key_service: NamedDependency[KeyService], data: JSONBody[NewKeyIn]
) -> NewKeyOut:
    made = await key_service.create(
        principal_of(request),
        name=data.name,
        scopes=data.scopes,
        expires_at=data.expires_at,
        value=data.value,
        address=client_of(request),
    )
    return new_key_out(made.key, value=made.value, is_weak=made.is_weak)


@delete(
    "/api/keys/{key_id:str}",
    guards=[requires(Permission.KEYS_ADMIN)],
    tags=_TAGS,
    summary="Revoke an API key; it stops within a second",
)
async def revoke_key(request: AnyRequest, key_service: NamedDependency[KeyService], key_id: FromPath[str]) -> None:
    await key_service.revoke(principal_of(request), key_id, address=client_of(request))


ROUTES = (list_keys, create_key, revoke_key)
