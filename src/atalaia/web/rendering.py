"""Templates to HTML: minijinja with autoescape, strict about names that are not there.

`<slice>/<file>.html` is `src/atalaia/<slice>/templates/<file>.html`; `web/layout.html` and `web/ui.html` are there for all.
How a page is written: docs/guides/pages.md. Why minijinja: docs/decisions/0005-templates.md.
"""

import json
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

from minijinja import Environment

from atalaia.core import formats
from atalaia.core.clock import Clock, SystemClock
from atalaia.core.translations import N_, SOURCE, Locale, Translations, Translator
from atalaia.web import drawing
from atalaia.web.static_files import StaticFiles

# What layout.html asks for; a page gives what it has.
LAYOUT_DEFAULTS: Final[Mapping[str, Any]] = {
    "viewer": None,
    "nav": (),
    "csrf_token": "",
    "banners": (),
    "version": "",
    "title": "Atalaia",
    "wall": False,
}
THEMES: Final = ("auto", "light", "dark")
# htmx under the strict policy: no eval, no style element of its own; a refused form (422) is shown, other failures are told.
HTMX_CONFIG: Final = json.dumps(
    {
        "allowEval": False,
        "includeIndicatorStyles": False,
        "selfRequestsOnly": True,
        "historyCacheSize": 0,
        "timeout": 20_000,
        "scrollBehavior": "auto",
        "responseHandling": [
            {"code": "204", "swap": False},
            {"code": "[23]..", "swap": True},
            {"code": "422", "swap": True},
            {"code": "[45]..", "swap": False, "error": True},
        ],
    },
    separators=(",", ":"),
)


@dataclass(frozen=True, slots=True)
class Reader:
    """Who a page is made for: the words, the zone, and the instant that "5 min ago" counts from."""

    translator: Translator
    timezone: ZoneInfo
    now: datetime
    theme: str = "auto"

    @property
    def locale(self) -> Locale:
        return self.translator.locale


# Templates call `_` and filters without saying for whom; macros do not see a page's context, this they do.
_reader: ContextVar[Reader] = ContextVar("atalaia_reader")


def reading() -> Reader:
    return _reader.get()


def template_roots(source: Path = SOURCE) -> dict[str, Path]:
    """Folders by the first part of a template's name, as "watch" or "integrations/n8n"."""
    return {p.parent.relative_to(source).as_posix(): p for p in sorted(source.rglob("templates")) if p.is_dir()}


@dataclass(slots=True)
class Renderer:
    """One for the process. `page` takes a millisecond for a hundred rows: the caller renders large ones in a thread."""

    translations: Translations
    static: StaticFiles
    clock: Clock = field(default_factory=SystemClock)
    roots: Mapping[str, Path] = field(default_factory=template_roots)
    reloads: bool = False  # templates are read anew for every page: for work on them
    _environment: Environment = field(init=False)

    def __post_init__(self) -> None:
        self._environment = _environment(self._source, self.static, reloads=self.reloads)

    def page(
        self,
        template: str,
        *,
        locale: Locale,
        timezone: str | ZoneInfo | None,
        theme: str | None = None,
        **context: Any,
    ) -> str:
        """HTML of a whole page, or of a fragment (a template that does not extend the layout).

        Raises:
            minijinja.TemplateError: no such template, or a name in it that `context` does not have.
        """
        where = timezone if isinstance(timezone, ZoneInfo) else formats.zone(timezone)
        shown_theme = theme if theme in THEMES else "auto"
        reader = Reader(self.translations.translator(locale), where, self.clock.now(), shown_theme)
        token = _reader.set(reader)
        try:
            html = self._environment.render_template(
                template, **{**LAYOUT_DEFAULTS, "locale": locale, "theme": shown_theme, **context}
            )
        finally:
            _reader.reset(token)
        # minijinja escapes "/" too, which no HTML needs; addresses stay readable and pages a tenth smaller.
        return html.replace("&#x2f;", "/")

    def _source(self, name: str) -> str | None:
        folder, _, file = name.rpartition("/")
        parts = folder.split("/")
        for depth in range(len(parts), 0, -1):
            root = self.roots.get("/".join(parts[:depth]))
            if root is None:
                continue
            path = root.joinpath(*parts[depth:], file).resolve()
            if path.is_relative_to(root.resolve()) and path.is_file():
                return path.read_text(encoding="utf-8")
        return None


def _environment(source: Callable[[str], str | None], static: StaticFiles, *, reloads: bool) -> Environment:
    environment = Environment(
        loader=source,
        undefined_behavior="strict",
        trim_blocks=True,
        lstrip_blocks=True,
        debug=True,
        reload_before_render=reloads,
    )
    for name, value in _globals(static).items():
        environment.add_global(name, value)
    for name, filter_ in _FILTERS.items():
        environment.add_filter(name, filter_)
    return environment


def _globals(static: StaticFiles) -> dict[str, Any]:
    return {
        "_": _translate,
        "ngettext": _ngettext,
        "url_static": static.url,
        "htmx_config": HTMX_CONFIG,
        "now": lambda: reading().now,
        "spark": drawing.spark,
        "bar_slots": drawing.bar_slots,
        "bar_paths": drawing.bar_paths,
        "query": drawing.query,
    }


def _translate(msgid: str, **params: object) -> str:
    return reading().translator.translate(msgid, **params)


def _retell(text: str | None) -> str:
    """What is kept in English, as why something failed."""
    return reading().translator.retell(text) if text else ""


def _ngettext(singular: str, plural: str, n: float, **params: object) -> str:
    reader = reading()
    return reader.translator.ngettext(singular, plural, n, **{"n": formats.number(n, locale=reader.locale), **params})


def _moment(style: str) -> Callable[[datetime | None], str]:
    def shown(at: datetime | None) -> str:
        reader = reading()
        return formats.moment(at, style, locale=reader.locale, timezone=reader.timezone) if at else formats.DASH

    return shown


def _date(day: date | None) -> str:
    """Of an instant its day where the reader is; a day that is no instant stays that day."""
    if day is None or isinstance(day, datetime):
        return _moment("date")(day)
    reader = reading()
    noon = datetime.combine(day, time(12), tzinfo=reader.timezone)
    return formats.moment(noon, "date", locale=reader.locale, timezone=reader.timezone)


def _when(at: datetime | None) -> str:
    reader = reading()
    return formats.when(at, now=reader.now, locale=reader.locale, timezone=reader.timezone) if at else formats.DASH


def _ago(at: datetime | None) -> str:
    """As "5 min ago", "in 2 h", or "just now"."""
    if at is None:
        return formats.DASH
    reader = reading()
    translate = reader.translator.translate
    elapsed_s = (reader.now - at).total_seconds()
    if abs(elapsed_s) < 1:
        return translate(N_("just now"))
    text = formats.span(max(1.0, abs(elapsed_s)), parts=1)
    return translate(N_("{span} ago"), span=text) if elapsed_s > 0 else translate(N_("in {span}"), span=text)


def _elapsed(since: datetime | None, until: datetime | None = None) -> str:
    """How long from `since` to `until` (or now)."""
    return formats.span((until or reading().now) - since) if since else formats.DASH


def _span(seconds: float | timedelta | None) -> str:
    return formats.DASH if seconds is None else formats.span(seconds)


def _number(value: float | None, digits: int | None = None) -> str:
    return formats.DASH if value is None else formats.number(value, digits, locale=reading().locale)


def _percent(ratio: float | None, digits: int | None = None) -> str:
    return formats.DASH if ratio is None else formats.percent(ratio, digits, locale=reading().locale)


def _bytes(size_bytes: float | None) -> str:
    return formats.DASH if size_bytes is None else formats.size(size_bytes, locale=reading().locale)


def _latency(milliseconds: float | None) -> str:
    return formats.DASH if milliseconds is None else formats.latency(milliseconds, locale=reading().locale)


_FILTERS: Final[Mapping[str, Callable[..., Any]]] = {
    "clock": _moment("clock"),
    "seconds": _moment("seconds"),
    "day": _moment("day"),
    "date": _date,
    "datetime": _moment("short"),
    "datetime_full": _moment("full"),
    "when": _when,
    "ago": _ago,
    "elapsed": _elapsed,
    "duration": _span,
    "number": _number,
    "percent": _percent,
    "bytes": _bytes,
    "ms": _latency,
    "iso": formats.iso,
    "retell": _retell,
}
