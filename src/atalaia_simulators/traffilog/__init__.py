"""A fleet platform without a public API, as it was observed on the wire: login, WebSocket, and its faults.

See docs/integrations/traffilog-simulator.md.
"""

from atalaia_simulators.traffilog.server import InThread, Options, Traffilog, serve

__all__ = ["InThread", "Options", "Traffilog", "serve"]
