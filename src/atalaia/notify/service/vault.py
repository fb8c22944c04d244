"""A channel's values in two parts: what may be shown, and what is sealed."""

from collections.abc import Mapping
from typing import Any

import msgspec

from atalaia.notify.model.channel import Channel
from atalaia.sdk.channels import ChannelKind
from atalaia.store.encryption import Sealer


def _purpose(channel_id: str) -> str:
    return f"channel:{channel_id}"


def split_values(
    kind: ChannelKind, values: Mapping[str, Any], *, channel_id: str, sealer: Sealer
) -> tuple[dict[str, Any], bytes | None]:
    hidden = {field.name for field in kind.fields if field.is_secret}
    shown = {name: value for name, value in values.items() if name not in hidden}
    secrets = {name: value for name, value in values.items() if name in hidden and value}
    if not secrets:
        return shown, None
    return shown, sealer.seal(msgspec.json.encode(secrets).decode(), purpose=_purpose(channel_id))


def whole_values(channel: Channel, kind: ChannelKind, *, sealer: Sealer) -> dict[str, Any]:
    """Raises: ConfigError: sealed with a key that this hub does not have."""
    values: dict[str, Any] = {field.name: field.default for field in kind.fields}
    values.update(channel.settings)
    if channel.secrets is not None:
        values.update(msgspec.json.decode(sealer.open(channel.secrets, purpose=_purpose(channel.id))))
    return values
