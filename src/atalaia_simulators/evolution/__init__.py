"""The Evolution API's side of WhatsApp, as far as the product uses it, with faults and a record of what really went out.

See docs/integrations/evolution-simulator.md.
"""

from atalaia_simulators.evolution.server import DEFAULT_INSTANCE, DEFAULT_KEY, Evolution, InThread, Options, serve

__all__ = ["DEFAULT_INSTANCE", "DEFAULT_KEY", "Evolution", "InThread", "Options", "serve"]
