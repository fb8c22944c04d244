"""What notify's own transports work with."""

from concurrent.futures import Executor
from dataclasses import dataclass

from atalaia.outbound.guard import Guard
from atalaia.outbound.http import HttpClient


@dataclass(frozen=True, slots=True)
class Tools:
    """`threads` are for libraries that block."""

    http: HttpClient
    guard: Guard
    threads: Executor
