"""Two captures held against each other, action by action."""

from litestar import Response, get
from litestar.params import FromQuery

from atalaia.captures.pages.captures import PAGE_ROWS, READ, AnyRequest, Captures, ThePages
from atalaia.core.translations import N_

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
    return await pages.page(
        request,
        "captures/diff.html",
        title=translate("Compare captures"),
        rows=sum(len(each.differences) for each in comparison.actions) if comparison else 0,
        choices=choices,
        a=of_a,
        b=of_b,
        chosen={"a": a, "b": b},
        comparison=comparison,
        ways=WAYS,
    )


ROUTES = (diff_page,)
