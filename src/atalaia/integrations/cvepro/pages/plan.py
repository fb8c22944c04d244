"""The chargers where they are: on a picture of the garage, else by their coordinates; else as cards."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from atalaia.core.errors import InvalidField, NotFound
from atalaia.core.permissions import Permission
from atalaia.core.translations import N_
from atalaia.integrations.cvepro.cloud.reading import TOPIC
from atalaia.integrations.cvepro.manifest import is_configured
from atalaia.integrations.cvepro.model.pictures import MOST_BYTES
from atalaia.integrations.cvepro.model.plan import Drawing, by_coordinates, on_picture
from atalaia.integrations.cvepro.pages.cards import Card, banner_values, card_of, counts_of
from atalaia.integrations.cvepro.pages.words import GROUPS, Said, said
from atalaia.integrations.cvepro.service.board import Board, Seen
from atalaia.integrations.cvepro.service.plan import Placed, Plan, read_place
from atalaia.sdk.integration import Host, Page, Reply, Request, Route, View

HREF: Final = "/cvepro/plan"
PICTURE: Final = "/api/cvepro/plan/picture"
_MAY_READ: Final = Permission.DASHBOARDS_READ
_MAY_PLACE: Final = Permission.DASHBOARDS_WRITE
_FORM_BYTES: Final = MOST_BYTES + 200_000  # the fields beside the picture
_CACHED: Final = {"cache-control": "private, max-age=31536000, immutable", "content-disposition": "inline"}
_DOCUMENT: Final = {
    "summary": "The picture of the garage on which the chargers are placed",
    "responses": {
        "200": {"description": "PNG or JPEG", "content": {"image/png": {}, "image/jpeg": {}}},
        "404": {"description": "There is none"},
    },
}


class PlanPages:
    def __init__(self, host: Host, board: Board) -> None:
        self._host = host
        self._board = board
        self._plan = Plan(host)

    def pages(self) -> tuple[Page, ...]:
        return (
            Page(HREF, _MAY_READ, self.show),
            Page(f"{HREF}/now", _MAY_READ, self.part, shared_until=(TOPIC,)),
            Page(f"{HREF}/edit", _MAY_PLACE, self.edit, self.place),
            Page(f"{HREF}/picture", _MAY_PLACE, self.edit, self.set_picture, max_file_bytes=_FORM_BYTES),
        )

    def routes(self) -> tuple[Route, ...]:
        return (Route("GET", PICTURE, _MAY_READ, self.picture, document=_DOCUMENT),)

    async def picture(self, request: Request) -> Reply:  # noqa: ARG002 - a handler's form
        """Raises: NotFound."""
        found = await self._plan.picture()
        if found is None:
            raise NotFound(N_("There is no picture of the garage."))
        return Reply(found[1], content_type=found[0], headers=_CACHED)

    async def show(self, request: Request) -> View:
        return View("cvepro/plan.html", N_("Plan of the chargers"), await self._values(request))

    async def part(self, request: Request) -> View:
        return View("cvepro/_plan.html", "", await self._values(request), is_part=True)

    async def edit(self, request: Request) -> View:  # noqa: ARG002 - a page's form
        return await self._edit_view({}, {})

    async def place(self, request: Request, form: Mapping[str, str]) -> View | str:
        by, client = request.principal, request.client
        if form.get("do") == "remove":
            await self._plan.drop_picture(by=by, client=client)
            return f"{HREF}/edit"
        keys = [each.charger.key for each in (await self._board.look()).shown]
        try:
            await self._plan.place(read_places(form, keys), by=by, client=client)
        except InvalidField as error:
            return await self._edit_view(form, {error.field: said(error)})
        return HREF

    async def set_picture(self, request: Request, form: Mapping[str, str]) -> View | str:  # noqa: ARG002 - as above
        try:
            picture = request.files.get("picture")
            await self._plan.set_picture(picture, by=request.principal, client=request.client)
        except InvalidField as error:
            return await self._edit_view({}, {error.field: said(error)})
        return f"{HREF}/edit"

    async def _values(self, request: Request) -> dict[str, Any]:
        seen, placed = await self._board.look(), await self._plan.look()
        cards = _cards(seen)
        names = {card.key: card.name for card in cards}
        places = {key: (names[key], *place) for key, place in placed.places.items() if key in names}
        picture = _on_picture(placed, places)
        earth = by_coordinates(_coordinates(seen))
        is_map = earth is not None and (picture is None or request.query.get("view") == "map")
        drawing = earth if is_map else picture
        return {
            **banner_values(seen, is_configured=is_configured(self._host.setting)),
            "cards": sorted(cards, key=lambda card: card.rank),
            "by_key": {card.key: card for card in cards},
            "counts": counts_of(cards),
            "groups": GROUPS,
            "drawing": drawing,
            "spots": _spots(drawing, {card.key: card for card in cards}),
            "picture": None if is_map or picture is None else f"{PICTURE}?v={placed.file_id}",
            "is_map": is_map,
            "has_both": earth is not None and picture is not None,
            "has_any": bool(cards),
            "params": {"view": "map"} if request.query.get("view") == "map" else {},
            "rows": len(cards),
        }

    async def _edit_view(self, typed: Mapping[str, str], errors: Mapping[str, Said]) -> View:
        seen, placed = await self._board.look(), await self._plan.look()
        cards = sorted(_cards(seen), key=lambda card: card.name)
        shown = {card.key: placed.places.get(card.key) for card in cards}
        rows = [
            {
                "key": card.key,
                "name": card.name,
                "x": typed.get(f"x:{card.key}", _said(shown[card.key], 0)),
                "y": typed.get(f"y:{card.key}", _said(shown[card.key], 1)),
                "error": errors.get(f"at:{card.key}"),
            }
            for card in cards
        ]
        height = 1000 * placed.picture.height_px / placed.picture.width_px if placed.picture else 0
        return View(
            "cvepro/plan_edit.html",
            N_("Place the chargers"),
            {
                "rows_shown": rows,
                "errors": errors,
                "picture": f"{PICTURE}?v={placed.file_id}" if placed.picture else None,
                "height": round(height, 1),
                "most_mb": MOST_BYTES // 1_000_000,
            },
        )


def read_places(form: Mapping[str, str], keys: Sequence[str]) -> dict[str, tuple[float, float] | None]:
    """Of the chargers that the form has. Raises: InvalidField."""
    return {
        key: read_place(form.get(f"x:{key}", ""), form.get(f"y:{key}", ""), f"at:{key}")
        for key in keys
        if f"x:{key}" in form
    }


def _cards(seen: Seen) -> list[Card]:
    """Without anybody's name: where who charges is nobody's business on a plan."""
    return [card_of(each, names=False) for each in seen.shown]


def _coordinates(seen: Seen) -> dict[str, tuple[str, float, float]]:
    """0, 0 lies in the sea: a vendor's way to say nothing."""
    return {
        each.charger.key: (each.charger.name, each.charger.latitude, each.charger.longitude)
        for each in seen.shown
        if each.charger.latitude is not None
        and each.charger.longitude is not None
        and (each.charger.latitude, each.charger.longitude) != (0, 0)
    }


def _on_picture(placed: Placed, places: Mapping[str, tuple[str, float, float]]) -> Drawing | None:
    if placed.picture is None:
        return None
    return on_picture(places, width_px=placed.picture.width_px, height_px=placed.picture.height_px)


def _spots(drawing: Drawing | None, cards: Mapping[str, Card]) -> list[dict[str, Any]]:
    """Each with its charger; of several at one spot the one that is worst off."""
    found = []
    for spot in drawing.spots if drawing else ():
        here = sorted((cards[key] for key in spot.keys), key=lambda card: card.rank)
        found.append({"x": spot.x, "y": spot.y, "label": spot.label, "card": here[0], "others": here[1:]})
    return found


def _said(place: tuple[float, float] | None, n: int) -> str:
    return "" if place is None else f"{place[n]:g}"
