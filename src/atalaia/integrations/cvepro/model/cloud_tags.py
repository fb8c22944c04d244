"""RFID tags as the vendor's cloud knows them."""

import msgspec


class CloudTag(msgspec.Struct, frozen=True, kw_only=True):
    """`tag` as model.residents.tag_key writes it; the rest is what the vendor says."""

    tag: str
    pk: str | None = None
    user_name: str | None = None
    flat: str | None = None
    is_active: bool | None = None
