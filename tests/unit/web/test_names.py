"""A class or an icon that a template names and nobody drew is a page that looks broken, and no test of text sees it."""

import re
from pathlib import Path

from atalaia.core.translations import SOURCE
from atalaia.web.static_files import STATIC

TEMPLATES = sorted(SOURCE.rglob("templates/**/*.html"))
STYLES = "".join(path.read_text() for path in (STATIC / "css").glob("*.css"))
DRAWN = set(re.findall(r"\.([a-zA-Z][\w-]*)", STYLES))
ICONS = set(re.findall(r'<symbol id="([\w-]+)"', (STATIC / "icons.svg").read_text()))
EXPRESSION = re.compile(r"\{\{.*?\}\}|\{%.*?%\}", re.DOTALL)
# Only looked up by scripts and tests, or the visible part of a name that is put together.
UNDRAWN = {"user"}


def _classes(path: Path) -> set[str]:
    # An expression beside letters is half a name: it is taken out together with them.
    text = re.sub(r"[\w-]*(?:\{\{.*?\}\}|\{%.*?%\})", " ", path.read_text(), flags=re.DOTALL)
    return {name for value in re.findall(r'class="([^"{}]*)"', text) for name in value.split()}


def test_every_class_is_drawn() -> None:
    missing = {f"{path.relative_to(SOURCE)}: {name}" for path in TEMPLATES for name in _classes(path) - DRAWN - UNDRAWN}
    assert not missing


def test_every_icon_is_there() -> None:
    named = re.compile(r"""(?:icon_name=|icon=|\bicon\()["']([\w-]+)["']""")
    files = [*TEMPLATES, *SOURCE.rglob("*.py")]
    missing = {
        f"{path.relative_to(SOURCE)}: {name}" for path in files for name in set(named.findall(path.read_text())) - ICONS
    }
    assert not missing


def test_no_template_has_an_inline_style_or_handler() -> None:
    found = {
        f"{path.relative_to(SOURCE)}: {match}"
        for path in TEMPLATES
        for match in re.findall(r"\s(style=|on[a-z]+=|hx-on)", EXPRESSION.sub("", path.read_text()))
    }
    assert not found
