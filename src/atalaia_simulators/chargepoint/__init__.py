"""A charge point that speaks OCPP 1.6-J to a hub: it plugs in, charges, fills, unplugs, and does what it is told.

See docs/integrations/cvepro-ocpp.md.
"""

from atalaia_simulators.chargepoint.client import InThread, serve
from atalaia_simulators.chargepoint.life import Options

__all__ = ["InThread", "Options", "serve"]
