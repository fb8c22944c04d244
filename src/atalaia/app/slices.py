"""The slices, each with what it needs from the ones below: this is the whole wiring."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from atalaia.core.clock import Clock
from atalaia.core.settings import Settings
from atalaia.store.encryption import Sealer
from atalaia.store.store import Store
from atalaia.web.live import LiveStreams
from atalaia.web.pages import Pages


@dataclass(frozen=True, slots=True)
class Base:
    """What the hub itself has, for any slice that asks."""

    store: Store
    clock: Clock
    settings: Settings
    sealer: Sealer
    pages: Pages
    live: LiveStreams
    public_url: str
    data_dir: Path
    is_leader: Callable[[], bool]
