"""The types that the hub knows: what is said of them, and what a worker is given to run them. Pure."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, NamedTuple

import msgspec

from atalaia.sdk.jobs import JobType

FREE_WHOLE_S = 86_400.0
FREE_MAX_ATTEMPTS = 3


class Context(NamedTuple):
    """What a worker needs beside the payload; never a secret."""

    settings: Mapping[str, Any]
    templates: Mapping[str, Any]

    @property
    def etag(self) -> str:
        return sha256(msgspec.json.encode(self, order="sorted")).hexdigest()[:16]


ContextProvider = Callable[[], Context]
NO_CONTEXT = Context({}, {})


@dataclass(frozen=True, slots=True)
class KnownType:
    type: JobType
    context: ContextProvider


class JobTypes:
    """Filled by the composition root (`register`). Others' workers may run types that are not in it: free text."""

    def __init__(self) -> None:
        self._known: dict[str, KnownType] = {}
        self._etags: dict[str, tuple[Context, str]] = {}

    def register(self, type: JobType, *, context: ContextProvider = lambda: NO_CONTEXT) -> None:
        self._known[type.name] = KnownType(type, context)

    def find(self, name: str) -> JobType | None:
        known = self._known.get(name)
        return known.type if known else None

    def all(self) -> list[JobType]:
        return [known.type for known in self._known.values()]

    def can_resolve(self, name: str) -> bool:
        known = self._known.get(name)
        return known is not None and known.type.resolve is not None

    def upstream_of(self, name: str) -> str | None:
        known = self._known.get(name)
        return known.type.upstream if known else None

    def whole_s(self, name: str) -> float:
        known = self._known.get(name)
        return known.type.whole_s if known else FREE_WHOLE_S

    def context(self, name: str) -> Context | None:
        known = self._known.get(name)
        return known.context() if known else None

    def etag(self, name: str) -> str:
        """Empty for a type that the hub does not know. Made anew when the provider gives another context."""
        known = self._known.get(name)
        if known is None:
            return ""
        context = known.context()
        cached = self._etags.get(name)
        if cached is None or cached[0] != context:
            self._etags[name] = cached = (context, context.etag)
        return cached[1]
