"""Answers as JSON, and as a proxy gives them that has nobody behind it."""

import json
from typing import Any

from aiohttp import web


def plain(value: Any, *, status: int = 200) -> web.Response:
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return web.Response(text=text, status=status, content_type="application/json")


def from_a_proxy(status: int) -> web.Response:
    return web.Response(text="<html><h1>nginx</h1></html>", status=status, content_type="text/html")
