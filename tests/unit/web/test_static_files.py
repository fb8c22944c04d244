import asyncio
import gzip
from pathlib import Path
from typing import Any

import pytest

from atalaia.web.static_files import STATIC, StaticFiles


@pytest.fixture
def files(tmp_path: Path) -> StaticFiles:
    for name, text in {
        "js/app.js": "x" * 2000,
        "css/2.css": "b{}",
        "css/1.css": "a{}",
        "notes.txt": "secret",
        ".env": "secret",
    }.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    return StaticFiles(tmp_path)


def get(
    files: StaticFiles, path: str, headers: list[tuple[bytes, bytes]] | None = None
) -> tuple[int, dict[bytes, bytes], bytes]:
    sent: list[dict[str, Any]] = []

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    asyncio.run(_call(files, {"path": path, "method": "GET", "headers": headers or []}, send))
    return sent[0]["status"], dict(sent[0]["headers"]), sent[1]["body"]


async def _call(files: StaticFiles, scope: dict[str, Any], send: Any) -> None:
    await files(scope, None, send)


def test_a_file_of_this_build_may_be_kept_for_ever(files: StaticFiles) -> None:
    status, headers, body = get(files, files.url("js/app.js"))
    assert (status, body) == (200, b"x" * 2000)
    assert b"immutable" in headers[b"cache-control"]


def test_an_address_of_another_build_gets_todays_file_and_is_not_kept(files: StaticFiles) -> None:
    status, headers, _ = get(files, "/static/000000000000/js/app.js")
    assert status == 200
    assert headers[b"cache-control"] == b"no-cache"


def test_a_browser_that_unpacks_gets_it_packed(files: StaticFiles) -> None:
    _, headers, body = get(files, files.url("js/app.js"), [(b"accept-encoding", b"gzip, br")])
    assert headers[b"content-encoding"] == b"gzip"
    assert gzip.decompress(body) == b"x" * 2000


@pytest.mark.parametrize(
    "path", ["/static/b/../../etc/passwd", "/static/b/notes.txt", "/static/b/.env", "/static/", "/static/b"]
)
def test_nothing_else_is_given_away(files: StaticFiles, path: str) -> None:
    assert get(files, path)[0] == 404


def test_the_style_sheets_are_one_file_in_order(files: StaticFiles) -> None:
    found = files.find(files.url("css/all.css").removeprefix("/static"))
    assert found is not None
    assert found[0].content == b"a{}b{}"


def test_a_changed_file_changes_every_address(files: StaticFiles, tmp_path: Path) -> None:
    before = files.build
    (tmp_path / "js" / "app.js").write_text("y")
    files.reload()
    assert files.build != before


def test_a_wrong_name_fails_where_it_is_written(files: StaticFiles) -> None:
    with pytest.raises(KeyError):
        files.url("js/nope.js")


def test_no_script_or_style_reaches_for_another_host() -> None:
    for path in sorted(STATIC.rglob("*")):
        if path.suffix in (".js", ".css", ".svg") and "vendor" not in path.parts:
            text = path.read_text().replace("http://www.w3.org/2000/svg", "")
            assert "http://" not in text, path
            assert "https://" not in text, path
            assert "@import" not in text, path
