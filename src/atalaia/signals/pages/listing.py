"""All signals, the worst first."""

from typing import Any, Final

import msgspec
from litestar import Response, get

from atalaia.core.translations import N_
from atalaia.signals.model.answers import answer_of
from atalaia.signals.model.signals import SignalOut
from atalaia.signals.pages.edges import NEW, READ, ROWS, AnyRequest, Signals, ThePages, href_of
from atalaia.signals.pages.standing import ANSWER_WORDS, OUTCOMES, STATE_WORDS, WORST_FIRST, Standing, standing_of
from atalaia.signals.service import SignalsService
from atalaia.signals.service.drawing import NOTHING, Lately
from atalaia.web.cursors import decode_cursor, page_of

PAGE_ROWS: Final = 50


class Row(msgspec.Struct, frozen=True):
    signal: SignalOut
    standing: Standing
    lately: Lately
    href: str
    answer_word: str

    @property
    def rank(self) -> int:
        return WORST_FIRST.index(self.standing.state)


@get("/signals", guards=READ, include_in_schema=False)
async def signals_page(request: AnyRequest, pages: ThePages, signals: Signals) -> Response[str]:
    listed = await _listed(request, signals)
    translate = pages.translator(request).translate
    options = [(state, translate(STATE_WORDS[state])) for state in WORST_FIRST]
    return await pages.page(
        request,
        "signals/signals.html",
        rows=len(listed["found"]),
        title=translate(N_("Signals")),
        state_options=options,
        **listed,
    )


@get(ROWS, guards=READ, include_in_schema=False)
async def signal_rows(request: AnyRequest, pages: ThePages, signals: Signals) -> Response[str]:
    listed = await _listed(request, signals)
    return await pages.fragment(request, "signals/_rows.html", rows=len(listed["found"]), **listed)


async def _listed(request: AnyRequest, signals: SignalsService) -> dict[str, Any]:
    params = dict(request.query_params)
    text, state = params.get("q", "").strip().casefold(), params.get("state", "")
    lately = await signals.drawing.lately()
    every = [_row(each, lately) for each in await signals.reading.all()]
    fitting = [
        row
        for row in every
        if (not text or text in f"{row.signal.name} {row.signal.task}".casefold())
        and (state not in WORST_FIRST or row.standing.state == state)
    ]
    shown, following = _page(fitting, params.get("cursor"))
    return {
        "found": shown,
        "next": following,
        "params": params,
        "outcomes": OUTCOMES,
        "is_filtered": len(fitting) < len(every) or bool(text),
        "counts": {each: sum(row.standing.state == each for row in every) for each in WORST_FIRST},
        "words": STATE_WORDS,
        "new_href": NEW,
        "rows_href": ROWS,
    }


def _row(signal: SignalOut, lately: dict[str, Lately]) -> Row:
    answer = signal.last_answer
    word = ANSWER_WORDS[answer_of(answer.status)] if answer else ""
    return Row(signal, standing_of(signal), lately.get(signal.name, NOTHING), href_of(signal.name), word)


def _page(rows: list[Row], cursor: str | None) -> tuple[list[Row], str | None]:
    """From after the key of the cursor; there are never so many that the store had to."""
    after = decode_cursor(cursor, int, str)
    ordered = sorted(rows, key=lambda row: (row.rank, row.signal.name))
    left = [row for row in ordered if after is None or (row.rank, row.signal.name) > after]
    return page_of(left[: PAGE_ROWS + 1], PAGE_ROWS, lambda row: (row.rank, row.signal.name))


ROUTES = (signals_page, signal_rows)
