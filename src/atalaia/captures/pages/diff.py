"""Two captures held against each other, action by action."""

from typing import Final

from litestar import Response, get
from litestar.params import FromQuery

from atalaia.captures.model.comparing import Comparison, Difference
from atalaia.captures.pages.captures import PAGE_ROWS, READ, AnyRequest, Captures, ThePages
from atalaia.core.translations import N_

MOST_SHOWN: Final = 500
MOST_OF_AN_ACTION: Final = 50
# What kind of departure it is, in a word.
WAYS = {
    "type": N_("another type"),
    "constant": N_("another constant"),
    "missing_key": N_("key is missing"),
    "extra_key": N_("key is new"),
    "key_order": N_("another order of keys"),
    "duplicate_key": N_("key is repeated"),
    "escapes": N_("escaped differently"),
    "encoding": N_("encoded differently"),
    "whitespace": N_("other white space"),
    "items": N_("another number of items"),
    "differ": N_("no longer the same at both places"),
    "not_json": N_("not JSON"),
}


@get("/captures/diff", guards=READ, include_in_schema=False)
async def diff_page(
    request: AnyRequest, pages: ThePages, captures: Captures, a: FromQuery[str] = "", b: FromQuery[str] = ""
) -> Response[str]:
    translate = pages.translator(request).translate
    choices, _ = await captures.page(cursor=None, limit=PAGE_ROWS)
    of_a = of_b = comparison = None
    if a and b:
        of_a, of_b, comparison = await captures.compare(a, b)
    shown = _shown(comparison) if comparison else {}
    return await pages.page(
        request,
        "captures/diff.html",
        title=translate("Compare captures"),
        rows=len(comparison.actions) + sum(map(len, shown.values())) if comparison else 0,
        shown=shown,
        choices=choices,
        a=of_a,
        b=of_b,
        chosen={"a": a, "b": b},
        comparison=comparison,
        ways=WAYS,
    )


def _shown(comparison: Comparison) -> dict[str, list[Difference]]:
    """Of each action the first ones; thousands say no more to a person than a hundred, and are a page of 88 MB."""
    left = MOST_SHOWN
    shown: dict[str, list[Difference]] = {}
    for each in comparison.actions:
        shown[each.action] = each.differences[: min(left, MOST_OF_AN_ACTION)]
        left -= len(shown[each.action])
    return shown


ROUTES = (diff_page,)
