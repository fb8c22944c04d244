import re
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from minijinja import TemplateError

from atalaia.core.translations import Catalogue, Translations
from atalaia.web.rendering import Renderer, template_roots
from atalaia.web.static_files import StaticFiles

NOW = datetime(2026, 3, 4, 15, 0, tzinfo=UTC)
LAYOUT = "web/layout.html"


class FixedClock:
    def now(self) -> datetime:
        return NOW

    def monotonic(self) -> float:
        return 0.0


@pytest.fixture(scope="module")
def static(tmp_path_factory: pytest.TempPathFactory) -> StaticFiles:
    """Every name that a template may ask for, also where npm has not been run."""
    folder = tmp_path_factory.mktemp("static")
    for name in ("favicon.svg", "favicon-alarm.svg", "icons.svg", "css/1.css", "js/app.js", "vendor/htmx.min.js"):
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("/* */")
    return StaticFiles(folder)


@pytest.fixture
def templates(tmp_path: Path) -> Path:
    return tmp_path


@pytest.fixture
def renderer(templates: Path, static: StaticFiles) -> Renderer:
    words = {"Checks": "Verificações", "Hello {name}": "Olá, {name}", "{span} ago": "há {span}", "Up": "No ar"}
    translations = Translations({"pt-BR": Catalogue(words, {"{n} check": ("{n} verificação", "{n} verificações")})})
    return Renderer(translations, static, clock=FixedClock(), roots={**template_roots(), "slice": templates})


def render(renderer: Renderer, templates: Path, source: str, **context: Any) -> str:
    (templates / "page.html").write_text(source)
    wishes = {"locale": "pt-BR", "timezone": "America/Sao_Paulo", **context}
    return renderer.page("slice/page.html", **wishes)


def test_what_people_typed_is_escaped_and_addresses_stay_readable(renderer: Renderer, templates: Path) -> None:
    html = render(renderer, templates, '<a href="{{ href }}">{{ name }}</a>', href="/a/b?x=1&y=2", name="<script>'")
    assert html == '<a href="/a/b?x=1&amp;y=2">&lt;script&gt;&#x27;</a>'


def test_an_escaped_slash_that_somebody_typed_is_shown_as_it_was_typed(renderer: Renderer, templates: Path) -> None:
    assert render(renderer, templates, "{{ name }}", name="&#x2f;") == "&amp;#x2f;"


def test_a_name_that_is_not_there_is_an_error_and_not_a_hole(renderer: Renderer, templates: Path) -> None:
    with pytest.raises(TemplateError, match="undefined"):
        render(renderer, templates, "{{ nobody_gave_this }}")


@pytest.mark.parametrize("name", ["slice/none.html", "nothing/page.html", "slice/../../../etc/passwd", "page.html"])
def test_only_templates_of_the_slices_are_found(renderer: Renderer, name: str) -> None:
    with pytest.raises(TemplateError):
        renderer.page(name, locale="en", timezone=None)


def test_words_numbers_and_times_are_the_readers(renderer: Renderer, templates: Path) -> None:
    words = '{{ _("Checks") }}|{{ _("Hello {name}", name=who) }}|{{ ngettext("{n} check", "{n} checks", 1200) }}'
    source = words + "|{{ at|when }}|{{ at|ago }}"
    at = NOW - timedelta(minutes=5)
    assert (
        render(renderer, templates, source, who="Zé", at=at) == "Verificações|Olá, Zé|1.200 verificações|11:55|há 5 min"
    )
    english = render(renderer, templates, source, who="Zé", at=at, locale="en", timezone="UTC")
    assert english == "Checks|Hello Zé|1,200 checks|14:55|5 min ago"


def test_a_day_that_is_no_instant_stays_that_day_wherever_it_is_read(renderer: Renderer, templates: Path) -> None:
    day = date(2026, 10, 8)
    assert render(renderer, templates, "{{ day|date }}", day=day) == "08/10/2026"
    for zone in ("Pacific/Kiritimati", "Pacific/Pago_Pago"):
        assert render(renderer, templates, "{{ day|date }}", day=day, locale="en", timezone=zone) == "Oct 8, 2026"


def test_what_is_not_known_is_a_dash(renderer: Renderer, templates: Path) -> None:
    source = (
        "{{ x|ms }}{{ x|number }}{{ x|percent }}{{ x|bytes }}{{ x|when }}{{ x|ago }}{{ x|duration }}{{ x|elapsed }}"
    )
    assert render(renderer, templates, source, x=None) == "–" * 8


def test_readers_of_two_languages_at_once_get_their_own(renderer: Renderer, templates: Path) -> None:
    (templates / "p.html").write_text(
        '{% import "web/ui.html" as ui %}{% for i in range(50) %}{{ ui.state_word("up") }}{% endfor %}'
    )

    def page(locale: str) -> str:
        return renderer.page("slice/p.html", locale="pt-BR" if locale == "pt-BR" else "en", timezone=None)

    with ThreadPoolExecutor(4) as pool:
        pages = list(pool.map(page, ["pt-BR", "en"] * 20))
    assert set(pages[::2]) == {"No ar" * 50}
    assert set(pages[1::2]) == {"Up" * 50}


def test_a_whole_page_has_no_inline_script_style_or_handler(renderer: Renderer, templates: Path) -> None:
    viewer = {"name": "Ana", "email": "ana@example.org"}
    nav = [
        {
            "label": "Watch",
            "icon": "eye",
            "items": [{"href": "/checks", "label": "Checks", "icon": "eye", "current": True}] * 2,
        }
    ]
    banners = [
        {"kind": "danger", "text": "Nobody will be told", "hint": "Make a route", "href": "/routes", "action": None}
    ]
    source = (
        '{% extends "web/layout.html" %}{% import "web/ui.html" as ui %}{% block main %}'
        + EVERY_PART
        + "{% endblock %}"
    )
    html = render(
        renderer, templates, source, title="T", viewer=viewer, nav=nav, banners=banners, csrf_token="c", at=NOW
    )
    assert not re.search(r"\sstyle=", html)
    assert not re.search(r"\son\w+=", html)
    assert "hx-on" not in html
    assert not re.search(r"<script(?![^>]*\ssrc=)", html)
    assert not re.search(r"<style", html)
    assert html.count("<h1") == 1
    assert 'aria-current="page"' in html


def test_every_form_carries_the_token(renderer: Renderer, templates: Path) -> None:
    button = '{% import "web/ui.html" as ui %}{{ ui.post_button("Pause", "/x", confirm="Sure?") }}'
    source = button + '<form method="post">{{ ui.csrf() }}</form>'
    html = render(renderer, templates, source, csrf_token="s3cret")
    assert html.count('name="csrf_token" value="s3cret"') == html.count("<form")


def test_each_state_has_its_own_shape_and_word(renderer: Renderer, templates: Path) -> None:
    source = '{% import "web/ui.html" as ui %}{{ ui.state_badge(state) }}'
    badges = {state: render(renderer, templates, source, state=state, locale="en") for state in STATES}
    shapes = {re.sub(r"s-\w+", "", badge) for badge in badges.values()}
    assert len(shapes) == len(STATES)


def test_a_field_with_an_error_says_it_and_is_described_by_it(renderer: Renderer, templates: Path) -> None:
    source = '{% import "web/ui.html" as ui %}{{ ui.field("name", "Name", "x", error="Too short") }}'
    html = render(renderer, templates, source)
    described = re.search(r'aria-describedby="([^"]+)"', html)
    assert described is not None
    assert f'id="{described[1].strip()}"' in html
    assert 'aria-invalid="true"' in html


EVERY_PART = (Path(__file__).parent / "every_part.html").read_text()
STATES = ["up", "degraded", "down", "paused", "maintenance", "unknown"]
