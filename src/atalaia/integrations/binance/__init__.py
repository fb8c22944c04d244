"""Auto-close: positions of a futures account in hedge mode, closed the moment that their profit together reaches a target."""

from atalaia.integrations.binance.declaration import integration

__all__ = ["integration"]
