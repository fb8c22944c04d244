"""Pages of captures, of what they made, and of two held against each other."""

from collections.abc import Sequence
from typing import Any

from atalaia.captures.pages.captures import ROUTES as CAPTURE_ROUTES
from atalaia.captures.pages.diff import ROUTES as DIFF_ROUTES
from atalaia.captures.pages.templates import ROUTES as TEMPLATE_ROUTES

ROUTES: Sequence[Any] = (*CAPTURE_ROUTES, *DIFF_ROUTES, *TEMPLATE_ROUTES)
