"""The words of the notices, for each language: changed with a preview on example data, reset, tried out."""

from collections.abc import Mapping
from typing import Any, Final

from atalaia.core.errors import BadInput, InvalidField, NotFound
from atalaia.core.permissions import Permission
from atalaia.core.translations import LOCALES, N_, Locale
from atalaia.integrations.cvepro.model.notices import LONGEST, VARIABLES, Fate, NoticeKind
from atalaia.integrations.cvepro.model.residents import read_phone
from atalaia.integrations.cvepro.pages.words import NOTICE_KINDS, Said, said
from atalaia.integrations.cvepro.queries import residents
from atalaia.integrations.cvepro.service.notices import Notices
from atalaia.sdk.integration import Host, Page, Request, View
from atalaia.sdk.transaction import Tx

HREF: Final = "/cvepro/notices/words"
RECORD: Final = "/cvepro/notices"
_NAMES: Final = (("pt-BR", "Português (Brasil)"), ("en", "English"))
_READ, _WRITE = Permission.OVERVIEW_READ, Permission.DASHBOARDS_WRITE


class WordPages:
    def __init__(self, host: Host, notices: Notices) -> None:
        self._host = host
        self._notices = notices

    def pages(self) -> tuple[Page, ...]:
        return (
            Page(HREF, _READ, self.show, self.submit, submit_permission=_WRITE),
            Page(f"{HREF}/preview", _READ, self.built_in, self.preview, submit_permission=_READ),
        )

    async def show(self, request: Request) -> View:
        return await self._view(request, _locale(request.query.get("language")))

    async def submit(self, request: Request, form: Mapping[str, str]) -> View | str:
        """Raises: BadInput: none of this page's buttons."""
        kind, locale = _kind(form.get("kind", "")), _locale(form.get("language"))
        by, client = request.principal, request.client
        try:
            match form.get("do"):
                case "save":
                    await self._notices.keep_words(kind, locale, form.get(_field(kind), ""), by=by, client=client)
                case "reset":
                    await self._notices.reset_words(kind, locale, by=by, client=client)
                case "test":
                    return await self._test(kind, locale, form.get("phone", ""))
                case _:
                    raise BadInput(N_("There is no such button."))
        except InvalidField as error:
            return await self._view(request, locale, typed=form, error=(kind, error))
        return f"{HREF}?language={locale}#{kind}"

    async def _test(self, kind: NoticeKind, locale: Locale, phone: str) -> str:
        """Raises: InvalidField: phone."""
        number = read_phone(phone)
        if number is None:
            raise InvalidField("phone", N_("This field is needed."))
        now = self._host.clock.now()
        fate = await self._host.write(lambda tx: self._notices.test(tx, kind, locale, number, now=now))
        if fate is not Fate.QUEUED:
            raise InvalidField("phone", N_("WhatsApp is not set up: nothing was sent."))
        return RECORD

    async def built_in(self, request: Request) -> View:
        """As it is now, for who asks without a form."""
        kind = _kind(request.query.get("kind", str(NoticeKind.STARTED)))
        locale = _locale(request.query.get("language"))
        words = await self._host.read(lambda tx: self._notices.words(tx, locale))
        return self._part(kind, locale, words[kind][0])

    async def preview(self, request: Request, form: Mapping[str, str]) -> View:  # noqa: ARG002 - a form's form
        kind = _kind(form.get("kind", ""))
        return self._part(kind, _locale(form.get("language")), form.get(_field(kind), ""))

    def _part(self, kind: NoticeKind, locale: Locale, text: str) -> View:
        lines, problem = self._rendered(kind, locale, text)
        values = {"lines": lines, "problem": problem}
        return View("cvepro/_notice_preview.html", "", values, is_part=True, status=200)

    def _rendered(self, kind: NoticeKind, locale: Locale, text: str) -> tuple[list[str], Said | None]:
        try:
            return self._notices.preview(kind, locale, text).split("\n"), None
        except InvalidField as error:
            return [], said(error)

    async def _view(
        self,
        request: Request,
        locale: Locale,
        *,
        typed: Mapping[str, str] | None = None,
        error: tuple[NoticeKind, InvalidField] | None = None,
    ) -> View:
        def unit(tx: Tx) -> tuple[dict[NoticeKind, tuple[str, bool]], str]:
            own = residents.of_person(tx, request.principal.id)
            return self._notices.words(tx, locale), (own.phone or "") if own else ""

        words, phone = await self._host.read(unit)
        typed = typed or {}
        wrong = {_name(error): said(error[1])} if error else {}
        return View(
            "cvepro/notice_words.html",
            N_("Texts of the notices"),
            {
                "kinds": [self._shown(kind, locale, *words[kind], typed=typed) for kind in NoticeKind],
                "kind_words": NOTICE_KINDS,
                "language": locale,
                "languages": _NAMES,
                "longest": LONGEST,
                "phone": typed.get("phone", phone),
                "tried": typed.get("kind", str(NoticeKind.STARTED)) if typed.get("do") == "test" else None,
                "errors": wrong,
            },
        )

    def _shown(
        self, kind: NoticeKind, locale: Locale, text: str, is_own: bool, *, typed: Mapping[str, str]
    ) -> dict[str, Any]:
        shown = typed.get(_field(kind), text)
        lines, problem = self._rendered(kind, locale, shown)
        return {
            "kind": str(kind),
            "field": _field(kind),
            "text": shown,
            "is_own": is_own,
            "variables": ["{" + name + "}" for name in VARIABLES[kind]],
            "lines": lines,
            "problem": problem,
        }


def _field(kind: NoticeKind) -> str:
    return f"text-{kind}"


def _name(error: tuple[NoticeKind, InvalidField]) -> str:
    kind, wrong = error
    return _field(kind) if wrong.field == "text" else wrong.field


def _kind(text: str) -> NoticeKind:
    """Raises: NotFound."""
    if text not in set(NoticeKind):
        raise NotFound(N_("There is no such notice."))
    return NoticeKind(text)


def _locale(text: str | None) -> Locale:
    return next((each for each in LOCALES if each == text), "pt-BR")
