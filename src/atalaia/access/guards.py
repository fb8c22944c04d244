"""Every route names what it needs: `guards=[requires(Permission.CHECKS_READ)]`."""

from typing import Any

from litestar import Request
from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler
from litestar.types import ASGIApp, Message, Receive, Send

from atalaia.access import csrf
from atalaia.access.authenticator import Authenticator, missing
from atalaia.access.cookies import CookieNames
from atalaia.core.errors import Forbidden, Unauthenticated
from atalaia.core.ids import new_token
from atalaia.core.permissions import Permission, Principal
from atalaia.core.translations import N_

_FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")
# Rendered and answered without knowing who asks.
_OPEN_PREFIXES = ("/static/",)

AnyConnection = ASGIConnection[Any, Any, Any, Any]


class requires:  # noqa: N801 - read as a word of the route's declaration
    """A guard: 401 for nobody, 403 for somebody without `permission`.

    A changing request of a signed-in person must prove that it comes from a page of ours. `is_form` asks the same of a
    public form (sign-in, reset), where there is no session yet.
    """

    def __init__(self, permission: Permission, *, is_form: bool = False) -> None:
        self.permission = permission
        self._is_form = is_form

    async def __call__(self, connection: AnyConnection, _handler: BaseRouteHandler) -> None:
        scope: Any = connection.scope
        principal: Principal | None = scope["state"].get("principal")
        self._check_permission(connection, principal)
        is_person = principal is not None and principal.kind == "person"
        if scope["method"] not in csrf.SAFE_METHODS and (is_person or self._is_form):
            await _check_proof(connection)

    def _check_permission(self, connection: AnyConnection, principal: Principal | None) -> None:
        if self.permission is Permission.PUBLIC:
            return
        if principal is None:
            refusal: Unauthenticated | None = connection.scope["state"].get("refusal")
            raise refusal or Unauthenticated(N_("sign in first, or send an API key"))
        if self.permission not in principal.permissions:
            raise missing(self.permission)


async def _check_proof(connection: AnyConnection) -> None:
    proof = connection.headers.get(csrf.HEADER)
    kind = connection.headers.get("content-type", "").partition(";")[0].strip().lower()
    if proof is None and kind in _FORMS and isinstance(connection, Request):
        value = (await connection.form()).get(csrf.FIELD)
        proof = value if isinstance(value, str) else None
    if not csrf.is_proof(proof, connection.scope["state"].get("csrf_cookie")):
        raise Forbidden(
            N_("this form is not from a page of this session"),
            code="csrf",
            hint=N_("Load the page anew and send it again."),
        )


class Authentication:
    """Middleware: says who asks (`scope["state"]["principal"]`), before any guard."""

    def __init__(self, app: ASGIApp, *, authenticator: Authenticator, cookies: CookieNames) -> None:
        self._app = app
        self._authenticator = authenticator
        self._cookies = cookies

    async def __call__(self, scope: Any, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"].startswith(_OPEN_PREFIXES):
            await self._app(scope, receive, send)
            return
        await self._authenticator.identify(scope)
        state = scope["state"]
        if state["principal"] is None and "csrf_cookie" not in state and scope["method"] == "GET":
            send = self._with_visit(state, send)
        await self._app(scope, receive, send)

    def _with_visit(self, state: dict[str, Any], send: Send) -> Send:
        """Give a browser that shows a form of ours the cookie which the form's proof is bound to."""
        visit = new_token()
        state["csrf_cookie"], state["csrf_token"] = visit, csrf.make_proof(visit)
        header = self._cookies.make(self._cookies.visit, visit, ttl_s=None).to_encoded_header()

        async def send_with_cookie(message: Message) -> None:
            if message["type"] == "http.response.start" and _is_page(message):
                message["headers"] = [*message["headers"], header]
            await send(message)

        return send_with_cookie


def _is_page(message: Any) -> bool:
    return any(name == b"content-type" and value.startswith(b"text/html") for name, value in message["headers"])
