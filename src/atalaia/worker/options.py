"""What a worker is started with."""

import re
import socket
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from atalaia.core.ids import new_id
from atalaia.version import COMMIT, VERSION

DRAIN_S = 30.0
TTL_S = 30.0
WAIT_S = 25.0


@dataclass(frozen=True, slots=True)
class WorkerOptions:
    """`types` empty: all that this installation knows. A second process on a machine needs a `name` of its own.

    `health_file` is touched whenever the hub has answered: its age says whether the worker is of use.
    """

    hub: str
    key: str = field(repr=False)
    name: str = field(default_factory=socket.gethostname)
    types: Sequence[str] = ()
    concurrency: int = 4
    ttl_s: float = TTL_S
    wait_s: float = WAIT_S
    drain_s: float = DRAIN_S
    health_file: Path | None = None
    incarnation: str = field(default_factory=new_id)

    @property
    def version(self) -> str:
        """The package's version with the commit as PEP 440's local part, such as 0.1.0+g1a2b3c4."""
        commit = re.sub(r"[^a-z0-9]", "", (COMMIT or "").lower())
        return f"{VERSION}+g{commit}" if commit else VERSION

    @property
    def commit(self) -> str:
        return COMMIT or ""
