"""Forms: what was typed, what is wrong with it, and where a browser goes on to."""

from collections.abc import Mapping, Sequence
from typing import Any

from litestar import Response
from litestar.datastructures import Cookie
from litestar.response import Redirect

from atalaia.access.cookies import DEVICE_TTL_S
from atalaia.access.options import AccessOptions
from atalaia.access.requests import AnyRequest
from atalaia.access.service.entering import Entered
from atalaia.access.sessions import safe_next
from atalaia.core.errors import AtalaiaError, TooManyRequests
from atalaia.core.translations import Translator
from atalaia.web.errors import status_of
from atalaia.web.pages import Pages

HOME = "/"  # it sends on whoever may not see it
ACCOUNT = "/account"


async def typed(request: AnyRequest) -> dict[str, str]:
    """The text fields of a form, without blanks around (passwords as they are)."""
    form = await request.form()
    return {
        name: value if "password" in name else value.strip() for name, value in form.items() if isinstance(value, str)
    }


def errors_of(error: AtalaiaError, translator: Translator) -> dict[str, str]:
    """Field (or an empty name) to what the reader is told."""
    text = translator.translate(error.message, **error.params)
    if error.hint:
        text = f"{text}. {translator.translate(error.hint)}"
    return {getattr(error, "field", ""): text[:1].upper() + text[1:]}


async def refused(
    request: AnyRequest, pages: Pages, template: str, *, error: AtalaiaError, **context: Any
) -> Response[str]:
    """The form again, with what is wrong and the status that says so."""
    errors = errors_of(error, pages.translator(request))
    response = await pages.page(request, template, status=status_of(error), errors=errors, **context)
    if isinstance(error, TooManyRequests):
        response.headers["retry-after"] = str(max(1, round(error.retry_after_s)))
    return response


def going_on(address: str, cookies: Sequence[Cookie] = ()) -> Redirect:
    return Redirect(address, status_code=303, cookies=list(cookies))


def entered(result: Entered, *, options: AccessOptions, next_address: str | None = None) -> Redirect:
    """Into the hub, with new cookies; whatever session the browser had before is left behind."""
    names = options.cookies
    cookies = [
        names.make(names.session, result.session_token, ttl_s=options.limits().absolute_s),
        names.drop(names.factor),
        names.drop(names.visit),
    ]
    if result.device_token is not None:
        cookies.append(names.make(names.device, result.device_token, ttl_s=DEVICE_TTL_S))
    return going_on(safe_next(next_address, fallback=HOME), cookies)


def query_of(request: AnyRequest) -> Mapping[str, str]:
    return {name: value for name, value in request.query_params.items() if isinstance(value, str)}
