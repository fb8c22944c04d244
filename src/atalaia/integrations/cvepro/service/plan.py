"""The plan of the garage: its picture, and where on it the chargers are."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from atalaia.core.errors import InvalidField
from atalaia.core.permissions import Principal
from atalaia.core.translations import N_
from atalaia.integrations.cvepro.cloud.reading import TOPIC
from atalaia.integrations.cvepro.model.pictures import Picture, read_picture
from atalaia.integrations.cvepro.queries import plan
from atalaia.sdk.files import Upload
from atalaia.sdk.integration import Host
from atalaia.sdk.transaction import Tx

_TARGET: Final = "cvepro_plan:garage"


@dataclass(frozen=True, slots=True)
class Placed:
    """`places`: by charger, in percent of the picture's width and height, from the top left."""

    file_id: str | None
    picture: Picture | None
    places: Mapping[str, tuple[float, float]]


class Plan:
    def __init__(self, host: Host) -> None:
        self._host = host

    async def look(self) -> Placed:
        def unit(tx: Tx) -> Placed:
            file_id, picture = plan.picture(tx) or (None, None)
            return Placed(file_id, picture, plan.all_places(tx))

        return await self._host.read(unit)

    async def picture(self) -> tuple[str, bytes] | None:
        """Its media type and content."""

        def unit(tx: Tx) -> tuple[str, bytes] | None:
            found = plan.picture(tx)
            content = self._host.files.read(tx, found[0]) if found else None
            return None if found is None or content is None else (found[1].media_type, content)

        return await self._host.read(unit)

    async def set_picture(self, upload: Upload | None, *, by: Principal, client: str | None) -> None:
        """In place of the one before; chargers stay where they were placed. Raises: InvalidField."""
        content = upload.content if upload else b""
        found = read_picture(content)

        def unit(tx: Tx) -> None:
            before = plan.picture(tx)
            name = f"plan.{found.media_type.removeprefix('image/')}"
            made = self._host.files.keep(tx, name=name, media_type=found.media_type, content=content)
            plan.keep_picture(tx, made.id, found, by=by.name, now=self._host.clock.now())
            if before is not None:
                self._host.files.drop(tx, before[0])
            self._changed(tx, "picture_set", by=by, client=client)

        await self._host.write(unit)

    async def drop_picture(self, *, by: Principal, client: str | None) -> None:
        def unit(tx: Tx) -> None:
            before = plan.picture(tx)
            if before is not None:
                plan.drop_picture(tx)
                self._host.files.drop(tx, before[0])
                self._changed(tx, "picture_removed", by=by, client=client)

        await self._host.write(unit)

    async def place(
        self, wanted: Mapping[str, tuple[float, float] | None], *, by: Principal, client: str | None
    ) -> None:
        def unit(tx: Tx) -> None:
            plan.keep_places(tx, wanted, now=self._host.clock.now())
            self._changed(tx, "chargers_placed", by=by, client=client)

        await self._host.write(unit)

    def _changed(self, tx: Tx, what: str, *, by: Principal, client: str | None) -> None:
        self._host.audit(tx, by=by, action=f"cvepro.plan_{what}", target=_TARGET, client=client)
        tx.publish(TOPIC)


def read_place(x: str, y: str, field: str) -> tuple[float, float] | None:
    """Both or none of them. Raises: InvalidField."""
    if not x.strip() and not y.strip():
        return None
    try:
        found = tuple(float(each.strip().replace(",", ".")) for each in (x, y))
    except ValueError as error:
        raise InvalidField(field, N_("two numbers from 0 to 100, or none")) from error
    if not all(math.isfinite(each) and 0 <= each <= 100 for each in found):  # noqa: PLR2004 - percent
        raise InvalidField(field, N_("two numbers from 0 to 100, or none"))
    return round(found[0], 2), round(found[1], 2)
