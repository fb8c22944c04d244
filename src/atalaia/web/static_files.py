"""Stylesheets, scripts and icons of the pages, each address with the hash of them all in it.

`/static/<build>/js/app.js`: modules import each other by relative path, so one hash for the whole folder keeps every file of
a page from the same build, and lets a browser keep it for ever.
"""

import gzip
import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

STATIC: Final = Path(__file__).parent / "static"
PREFIX: Final = "/static"
BUNDLE: Final = "css/all.css"
_TYPES: Final = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".ico": "image/x-icon",
    ".webmanifest": "application/manifest+json",
}
_FOREVER: Final = b"public, max-age=31536000, immutable"
_NOT_WORTH_ZIPPING: Final = 600


@dataclass(frozen=True, slots=True)
class StaticFile:
    content: bytes
    zipped: bytes | None
    content_type: str


class StaticFiles:
    """All files in memory (some 200 KB), read once; also an ASGI app, to be mounted at PREFIX."""

    def __init__(self, folder: Path = STATIC) -> None:
        self._folder = folder
        self._files: dict[str, StaticFile] = {}
        self.build = ""
        self.reload()

    def reload(self) -> None:
        digest = hashlib.sha256()
        files: dict[str, StaticFile] = {}
        for path in sorted(self._folder.rglob("*")):
            if path.suffix not in _TYPES or not path.is_file():
                continue
            name = path.relative_to(self._folder).as_posix()
            content = path.read_bytes()
            digest.update(f"{name}\0{len(content)}\0".encode() + content)
            files[name] = _loaded(content, _TYPES[path.suffix])
        # One request for all rules: the chart library's first, then our own in the order of the numbers in their names.
        names = sorted(
            (name for name in files if name.endswith(".css")), key=lambda n: (not n.startswith("vendor/"), n)
        )
        sheets = [files[name].content for name in names]
        files[BUNDLE] = _loaded(b"".join(sheets), _TYPES[".css"])
        self._files, self.build = files, digest.hexdigest()[:12]

    def url(self, name: str) -> str:
        """Raises KeyError for a file that is not there, so that a wrong name fails in the first test that renders it."""
        if name not in self._files:
            raise KeyError(name)
        return f"{PREFIX}/{self.build}/{name}"

    def find(self, path: str) -> tuple[StaticFile, bool] | None:
        """`path` after PREFIX ("<build>/<name>") → the file, and whether it is of this build.

        An older build's address gets today's file, uncached: better than a page without style in the minute of an update.
        """
        build, _, name = path.strip("/").partition("/")
        file = self._files.get(name)
        return (file, build == self.build) if file else None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:  # noqa: ARG002 - the ASGI form
        path = scope["path"].removeprefix(PREFIX)
        found = self.find(path) if scope["method"] in ("GET", "HEAD") else None
        if found is None:
            await _answer(send, 404, [(b"content-type", b"text/plain; charset=utf-8")], b"not found")
            return
        file, is_current = found
        accepts_gzip = any(k == b"accept-encoding" and b"gzip" in v for k, v in scope["headers"])
        body = file.zipped if file.zipped is not None and accepts_gzip else file.content
        headers = [
            (b"content-type", file.content_type.encode()),
            (b"cache-control", _FOREVER if is_current else b"no-cache"),
            (b"vary", b"Accept-Encoding"),
            (b"x-content-type-options", b"nosniff"),
        ]
        if body is file.zipped:
            headers.append((b"content-encoding", b"gzip"))
        await _answer(send, 200, headers, b"" if scope["method"] == "HEAD" else body, length=len(body))


def _loaded(content: bytes, content_type: str) -> StaticFile:
    is_text = content_type.startswith(("text/", "image/svg"))
    worth_it = is_text and len(content) > _NOT_WORTH_ZIPPING
    return StaticFile(content, gzip.compress(content, 9, mtime=0) if worth_it else None, content_type)


async def _answer(
    send: Any, status: int, headers: list[tuple[bytes, bytes]], body: bytes, *, length: int | None = None
) -> None:
    headers = [*headers, (b"content-length", str(len(body) if length is None else length).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
