"""Binance's USDⓈ-M futures in hedge mode, as far as the product uses them, with faults and a book of its own.

See docs/integrations/binance-simulator.md.
"""

from atalaia_simulators.binance.exchange import DEFAULT_KEY, DEFAULT_SECRET, Options
from atalaia_simulators.binance.server import Binance, InThread, serve

__all__ = ["DEFAULT_KEY", "DEFAULT_SECRET", "Binance", "InThread", "Options", "serve"]
