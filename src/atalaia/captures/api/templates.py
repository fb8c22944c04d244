"""Frame templates over JSON: what is in force, and the choice of another version."""

from typing import Annotated, Any

import msgspec
from litestar import Request, Response, get, post
from litestar.params import FromPath, JSONBody

from atalaia.access.requests import client_of, principal_of
from atalaia.captures.api.captures import READ, WRITE, Captures
from atalaia.captures.model.templates import ActionVersion
from atalaia.sdk.fidelity import Template

AnyRequest = Request[Any, Any, Any]


class TemplatesOut(msgspec.Struct, kw_only=True):
    """`templates` by key: the action, and after a slash the variant where the action has several forms."""

    etag: str
    templates: dict[str, Template]
    actions: list[ActionVersion]


class ActivateIn(msgspec.Struct, forbid_unknown_fields=True):
    """Version 0 is the built-in one."""

    version: Annotated[int, msgspec.Meta(ge=0, le=2**31 - 1)]


@get(
    "/api/upstreams/{upstream:str}/templates",
    guards=READ,
    tags=["captures"],
    summary="The frame templates in force for an upstream",
)
async def list_templates(captures: Captures, upstream: FromPath[str]) -> Response[TemplatesOut]:
    active = await captures.active_templates(upstream)
    out = TemplatesOut(etag=active.etag, templates=dict(active.templates), actions=list(active.versions))
    return Response(out, headers={"etag": f'"{active.etag}"'})


@post(
    "/api/upstreams/{upstream:str}/templates/{action:str}/activate",
    guards=WRITE,
    status_code=200,
    tags=["captures"],
    summary="Put another version of an action's templates in force",
)
async def activate_template(
    captures: Captures, upstream: FromPath[str], action: FromPath[str], data: JSONBody[ActivateIn], request: AnyRequest
) -> ActionVersion:
    return await captures.activate(
        principal_of(request), upstream=upstream, action=action, version=data.version, address=client_of(request)
    )


ROUTES = (list_templates, activate_template)
