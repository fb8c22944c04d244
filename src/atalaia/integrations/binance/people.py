"""Who does something, for the audit log."""

from dataclasses import dataclass

from atalaia.core.permissions import Principal


@dataclass(frozen=True, slots=True)
class By:
    principal: Principal
    client: str | None = None
