"""Parts that are fetched anew while their page is open."""

import re

from atalaia.integrations.cvepro import integration

_LIVE = re.compile(r"<[^>]*?ui\.live\(.*")


def test_each_asks_once_when_the_stream_is_there_for_what_happened_between_the_page_and_it() -> None:
    parts = {path.name: _LIVE.findall(path.read_text()) for path in (integration.folder / "templates").glob("*.html")}
    live = {name: found for name, found in parts.items() if found}
    assert len(live) > 5
    assert [name for name, found in live.items() if not all("data-live-fresh" in tag for tag in found)] == []
