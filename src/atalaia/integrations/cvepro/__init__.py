"""Charging: the chargers of a condominium, as the vendor's cloud tells of them, shown also while it does not."""

from atalaia.integrations.cvepro.declaration import integration

__all__ = ["integration"]
