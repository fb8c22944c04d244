"""Secrets are taken out at the door: by the name they stand under, and by their value wherever else it stands.

Two passes over a reading: the first collects values (under telling names, in the addresses of sockets, in headers), the second
takes out what it finds, character for character, so that all else stays as it was on the line. It reads no JSON: a frame
that is cut off or broken holds secrets as well.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit, urlunsplit

from atalaia.captures.model.texts import View, percent_view, string_view, views_of
from atalaia.core.redaction import STARS, redact

# Beside what core.redaction knows: other systems' words for the same.
_MORE_NAMES: Final = re.compile(
    r"pwd|senha|chave|mtkn|^tkn|tkn$|jwt|bearer|credential|session_?id$|^s?sid$|^auth$|access_?key|private_?key|^otp$|^pin$",
    re.IGNORECASE,
)
# New for each frame and no secret: taken out by name, but not looked for elsewhere.
_MARKS: Final = frozenset({"mtkn"})
_HEADERS: Final = re.compile(r"cookie$|authorization$|token|secret|api-?key|x-.*-key$", re.IGNORECASE)
_GUID: Final = re.compile(r"\{?[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\}?\Z", re.IGNORECASE)
# Group 1 is a string's content; the closing quote may be missing where a frame is cut off.
_TOKEN: Final = re.compile(r'"([^"\\]*(?:\\.[^"\\]*)*)"?|-?\d[\d.eE+-]*|[{}\[\]:,]|[^\s"{}\[\]:,]+', re.DOTALL)
_STRING: Final = re.compile(r'"([^"\\]*(?:\\.[^"\\]*)*)(?:"(\s*:)?|\Z)', re.DOTALL)
_NAME_END: Final = re.compile(r"\s*:")
_WRAPPED: Final = re.compile(r"[{\[=%\\]|earer |asic |oken ", re.IGNORECASE)  # a string that may hold names of its own
_PAIR: Final = re.compile(r"(?:^|[?&;,\s'\"])([\w.-]{2,60})\s*=\s*([^\s&;,\"'\\<>]+)")
_BEARER: Final = re.compile(r"\b(?:Bearer|Basic|Token)\s+([\w.~+/=-]{8,})", re.IGNORECASE)
_WORD: Final = re.compile(r"[a-z_]*\Z")
_SCHEMED: Final = re.compile(r"\w{1,20} (\S+)\Z")
SHORTEST_VALUE: Final = 6  # anything shorter stands in innocent words too
SHORTEST_WORD: Final = 12  # of small letters alone: "string" may be under the name `password` where a form is described
SHORTEST_COOKIE: Final = 12
SHORTEST_SEGMENT: Final = 20
_DEPTH: Final = 4  # JSON in a string in JSON …


@lru_cache(maxsize=4096)
def is_secret_name(name: str) -> bool:
    return redact("something", name=name) == STARS or _MORE_NAMES.search(name) is not None


@dataclass(frozen=True, slots=True)
class Find:
    """A secret at `text[start:end]` of the raw text; `value` as it was meant, escapes and percent signs undone."""

    start: int
    end: int
    value: str
    is_number: bool = False
    is_mark: bool = False


class Redactor:
    """Collects the secrets of one recording, then takes them out of its texts."""

    def __init__(self) -> None:
        self._values: set[str] = set()
        self._pattern: re.Pattern[str] | None = None

    @property
    def count(self) -> int:
        """Values that are looked for."""
        return len(self._values)

    # -- first pass

    def learn(self, text: str) -> list[Find]:
        """The values under telling names in a message; what was found, for `text`."""
        finds = [find for view in views_of(text) for find in _named(view, depth=_DEPTH)]
        for find in finds:
            if not find.is_mark:
                self._add(find.value)
        return finds

    def learn_address(self, address: str) -> None:
        """What stands in a socket's or request's address: user and password, tokens in path and query."""
        parts = _split(address)
        for word in (parts.username, parts.password):
            self._add(word or "")
        for name, value in parse_qsl(parts.query):
            if is_secret_name(name):
                self._add(value)
        for segment in _secret_segments(parts.path):
            self._add(segment)

    def learn_header(self, name: str, value: str) -> None:
        if not _HEADERS.search(name):
            return
        if name.lower().endswith("cookie"):
            for part in value.split(";"):
                self._add(part.partition("=")[2].strip(), shortest=SHORTEST_COOKIE)
            return
        scheme = _SCHEMED.match(value)
        self._add(scheme[1] if scheme else value)

    # -- second pass

    def text(self, raw: str, named: Sequence[Find] | None = None) -> str:
        """The same text with as many stars in place of each secret: `x` where percent-encoded, digits for digits that pair frames."""
        views = list(views_of(raw))
        finds = list(named) if named is not None else [find for view in views for find in _named(view, depth=_DEPTH)]
        finds += [find for view in views for find in self._known(view, depth=_DEPTH)]
        return _without(raw, finds, star="x" if any(view.is_percent for view in views) else "*")

    def address(self, address: str) -> str:
        """The address as it may be shown."""
        parts = _split(address)
        host = parts.netloc.rpartition("@")
        netloc = f"{STARS}@{host[2]}" if host[1] else host[2]
        secret = {segment for segment in parts.path.split("/") if _is_long(segment)}
        path = "/".join(STARS if segment in secret else segment for segment in parts.path.split("/"))
        query = "&".join(_shown_pair(pair) for pair in parts.query.split("&")) if parts.query else ""
        return self.text(urlunsplit((parts.scheme, netloc, path, query, "")))

    def _add(self, value: str, *, shortest: int = SHORTEST_VALUE) -> None:
        for form in {value, unquote(value)}:
            is_word = len(form) < SHORTEST_WORD and _WORD.match(form)
            if len(form) >= shortest and not is_word and not _is_blank(form) and form not in self._values:
                self._values.add(form)
                self._pattern = None

    def _known(self, view: View, *, depth: int) -> Iterator[Find]:
        """Known values in a text, and in the strings within it that are escaped or encoded once more."""
        if not self._values:
            return
        if self._pattern is None:
            longest_first = sorted(self._values, key=len, reverse=True)
            self._pattern = re.compile("|".join(map(re.escape, longest_first)))
        for found in self._pattern.finditer(view.text):
            yield Find(*view.span(found.start(), found.end()), found[0])
        if depth:
            for inner in _inner_views(view):
                yield from self._known(inner, depth=depth - 1)


def _inner_views(view: View) -> Iterator[View]:
    if "\\" not in view.text and "%" not in view.text:
        return
    for token in _TOKEN.finditer(view.text):
        if token[0][0] == '"' and ("\\" in token[0] or "%" in token[0]):
            yield from _views_in(view, token)


def _views_in(view: View, token: re.Match[str]) -> Iterator[View]:
    """A string token's content with its escapes undone, and with its percent signs undone where it has some."""
    inner = string_view(view, *token.span(1))
    yield inner
    if "%" in inner.text and (decoded := percent_view(inner)) is not None:
        yield decoded


def _named(view: View, *, depth: int) -> Iterator[Find]:
    """What stands under a telling name: a string, a number, or all strings and numbers of an object or array."""
    text, at, is_json = view.text, 0, False
    while token := _STRING.search(text, at):
        at, is_json = token.end(), True
        if token[2] is None:
            if depth and _WRAPPED.search(token[0]):
                yield from _within(view, token, depth)
        elif is_secret_name(name := _name(view, token)):
            finds, at = _value(view, at, is_mark=name in _MARKS)
            yield from finds
    if not is_json:
        yield from _pairs(view)


def _name(view: View, token: re.Match[str]) -> str:
    return string_view(view, *token.span(1)).text if "\\" in token[0] else token[1]


def _value(view: View, start: int, *, is_mark: bool) -> tuple[list[Find], int]:
    """The secrets of the value that begins at `start`, and where it ends."""
    finds: list[Find] = []
    depth, at = 0, start
    while token := _TOKEN.search(view.text, at):
        word, at = token[0], token.end()
        if word in "{[":
            depth += 1
        elif word in "}]":
            depth -= 1
        elif word not in ",:" and not (depth and _NAME_END.match(view.text, at) and word[0] == '"'):
            finds += _find(view, token, is_mark=is_mark)
        if depth <= 0:
            break
    return finds, at


def _within(view: View, token: re.Match[str], depth: int) -> Iterator[Find]:
    """Secrets inside a string: JSON once more, pairs of a form or an address, what follows “Bearer”."""
    for inner in _views_in(view, token):
        if any(sign in inner.text for sign in '{["'):
            yield from _named(inner, depth=depth - 1)
        yield from _pairs(inner)


def _pairs(view: View) -> Iterator[Find]:
    for pair in _PAIR.finditer(view.text):
        if is_secret_name(pair[1]):
            yield Find(*view.span(*pair.span(2)), pair[2], is_mark=pair[1] in _MARKS)
    for bearer in _BEARER.finditer(view.text):
        yield Find(*view.span(*bearer.span(1)), bearer[1])


def _find(view: View, token: re.Match[str], *, is_mark: bool) -> Iterator[Find]:
    word = token[0]
    if word[0] == '"':
        start, end = token.span(1)
        if end > start:
            yield Find(*view.span(start, end), string_view(view, start, end).text, is_mark=is_mark)
    elif word not in {"true", "false", "null"}:
        is_number = word[0] == "-" or word[0].isdigit()
        yield Find(*view.span(*token.span()), word, is_number=is_number, is_mark=is_mark)


def _without(raw: str, finds: Sequence[Find], *, star: str) -> str:
    parts: list[str] = []
    at = 0
    for find in sorted(finds, key=lambda each: (each.start, -each.end)):
        if find.end <= at:
            continue
        start = max(find.start, at)
        parts += [raw[at:start], _star(find, star) * (find.end - start)]
        at = find.end
    return "".join(parts) + raw[at:]


def _star(find: Find, star: str) -> str:
    if find.is_number:
        return "1"  # still a number
    return "0" if find.is_mark and find.value.isdecimal() else star


def _split(address: str) -> SplitResult:
    try:
        return urlsplit(address)
    except ValueError:  # half an IPv6 host
        return SplitResult("", "", "", "", "")


def _is_blank(value: str) -> bool:
    return not value.strip("*x•. ")


def _shown_pair(pair: str) -> str:
    name, sign, value = pair.partition("=")
    return f"{name}{sign}{STARS}" if is_secret_name(name) or _is_long(value) else pair


def _is_long(segment: str) -> bool:
    return len(segment) >= SHORTEST_SEGMENT


def _secret_segments(path: str) -> list[str]:
    """Segments that may be a token. A GUID names an application where another long one stands beside it."""
    long = [segment for segment in path.split("/") if _is_long(segment)]
    return [segment for segment in long if not _GUID.match(unquote(segment))] or long
