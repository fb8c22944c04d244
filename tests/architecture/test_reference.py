"""Every setting, command, error code, metric and page is documented: docs/reference is what the code says."""

import pytest
from scripts.reference import FOLDER, make_pages


@pytest.fixture(scope="module")
def pages() -> dict[str, str]:
    return make_pages()


@pytest.mark.parametrize("name", ["settings.md", "commands.md", "errors.md", "metrics.md", "pages.md"])
def test_the_reference_is_current(name: str, pages: dict[str, str]) -> None:
    kept = (FOLDER / name).read_text(encoding="utf-8")
    assert kept == pages[name], "run .venv/bin/python scripts/reference.py"


def test_every_setting_says_what_it_is_for(pages: dict[str, str]) -> None:
    rows = [line for line in pages["settings.md"].splitlines() if line.startswith("| `")]
    assert rows
    assert [row for row in rows if not row.split(" | ")[-1].strip(" |")] == []
