"""The chargers' vendor cloud, as far as its public clients observe it: login, chargers, transactions, tags; with faults.

See docs/integrations/cvepro-simulator.md.
"""

from atalaia_simulators.cvepro.server import CvePro, InThread, serve
from atalaia_simulators.cvepro.site import Options

__all__ = ["CvePro", "InThread", "Options", "serve"]
