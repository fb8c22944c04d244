"""A page in Portuguese says what its English twin says: a change to one that forgets the other fails here.

What taught it: the Portuguese page about chargers that connect straight had neither the table of messages nor that of
requests, and the one about reports sent its readers to the English API.
"""

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.architecture.tracked import ROOT, text_files

PAGES = {path: text for path, text in text_files() if path.suffix == ".md"}
ENDING = ".pt-BR.md"
PORTUGUESE = sorted(path for path in PAGES if path.name.endswith(ENDING))
_FENCED = re.compile(r"^([ ]*)```(\w*)\n(.*?)^\1```", re.DOTALL | re.MULTILINE)
_COMMENT = re.compile(r"(?:^|\s+)(?:#|//) .*$", re.MULTILINE)
_LINK = re.compile(r"(?<!!)\[[^]\n]*\]\((?!https?:|mailto:)([^)\s]+)\)|\]\((?!https?:|mailto:|#)([^)\s]+\.md[^)\s]*)\)")
_HEADING = re.compile(r"^(#{1,6}) +(.+)$", re.MULTILINE)
_INLINE = re.compile(r"`([^`\n]+)`")
_NAME = re.compile(
    r"ATALAIA_[A-Z_]+|--[a-z-]+|(?:[A-Z]+ )?/[a-z_][\w./?&={}-]*|[a-z]+(?:_[a-z]+)+|[A-Z]\w*[a-z][A-Z]\w*"
)


def twin(path: Path) -> Path:
    """The English page of a Portuguese one."""
    return path.with_name(path.name.removesuffix(ENDING) + ".md")


def prose(text: str) -> str:
    return _FENCED.sub("", text)


def blocks(text: str) -> list[tuple[str, list[str]]]:
    """Each fenced block with its language, without comments, which are in the page's own language."""
    found = [(kind, _COMMENT.sub("", body)) for _, kind, body in _FENCED.findall(text)]
    return [(kind, [line.strip() for line in body.splitlines() if line.strip()]) for kind, body in found]


def sections(text: str) -> Iterator[tuple[int, str]]:
    """The level of each heading, with what stands below it."""
    parts = _HEADING.split(prose(text))
    for level, body in zip(parts[1::3], parts[3::3], strict=True):
        yield len(level), body


def shape(text: str) -> list[tuple[int, int, int]]:
    """Of each section: its level, its rows of tables, its items of lists."""
    return [
        (level, len(re.findall(r"^ *\|", body, re.MULTILINE)), len(re.findall(r"^ *(?:- |\d+\. )", body, re.MULTILINE)))
        for level, body in sections(text)
    ]


def links(path: Path) -> list[Path]:
    """The files of the repository that a page leads to."""
    without_code = _INLINE.sub("", prose(PAGES[path]))
    targets = (one or other for one, other in _LINK.findall(without_code))
    files = (target.partition("#")[0] for target in targets)
    return [(ROOT / path.parent / name).resolve().relative_to(ROOT) for name in files if name]


def names(text: str) -> set[str]:
    """What machines read, of the code within sentences: settings, options, addresses, fields."""
    return {name for name in _INLINE.findall(prose(text)) if _NAME.fullmatch(name)}


def anchors(path: Path) -> set[str]:
    """What the page's headings are called in an address, as GitHub makes it of their text."""
    found: Counter[str] = Counter()
    made = set()
    for _, title in _HEADING.findall(prose(PAGES[path])):
        slug = re.sub(r"[^\w\- ]", "", title.strip().lower()).replace(" ", "-")
        made.add(f"{slug}-{found[slug]}" if found[slug] else slug)
        found[slug] += 1
    return made


@pytest.fixture(params=PORTUGUESE, ids=str)
def page(request: pytest.FixtureRequest) -> Path:
    path: Path = request.param
    assert twin(path) in PAGES, f"{path} has no English page beside it"
    return path


def test_both_lead_to_each_other_at_their_beginning(page: Path) -> None:
    for one, other in ((page, twin(page)), (twin(page), page)):
        beginning = "\n".join(PAGES[one].splitlines()[:6])
        assert f"]({other.name})" in beginning, f"{one} does not name {other.name} in its first lines"


def test_both_have_the_same_sections_rows_and_items(page: Path) -> None:
    assert shape(PAGES[page]) == shape(PAGES[twin(page)])


def test_both_show_the_same_code(page: Path) -> None:
    assert blocks(PAGES[page]) == blocks(PAGES[twin(page)])


def test_both_lead_to_the_same_files(page: Path) -> None:
    english = Counter(links(twin(page))) - Counter([page])
    portuguese = Counter(twin(path) if path in PORTUGUESE else path for path in links(page)) - Counter([twin(page)])
    assert portuguese == english


def test_both_name_the_same_settings_options_addresses_and_fields(page: Path) -> None:
    assert names(PAGES[page]) == names(PAGES[twin(page)])


def test_a_page_leads_to_pages_in_its_own_language(page: Path) -> None:
    has_twin = {twin(path) for path in PORTUGUESE}
    assert [path for path in links(page) if path in has_twin and path != twin(page)] == []
    assert [path for path in links(twin(page)) if path in PORTUGUESE and path != page] == []


@pytest.mark.parametrize("path", PAGES, ids=str)
def test_every_link_to_a_heading_leads_to_one(path: Path) -> None:
    without_code = _INLINE.sub("", prose(PAGES[path]))
    missing = []
    for target in re.findall(r"\]\((?!https?:|mailto:)([^)\s]*#[^)\s]+)\)", without_code):
        name, _, anchor = target.partition("#")
        there = (ROOT / path.parent / name).resolve().relative_to(ROOT) if name else path
        if there in PAGES and anchor not in anchors(there):
            missing.append(target)
    assert missing == []
