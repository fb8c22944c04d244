"""Fleet commands: an app's request becomes a job that acts on a vehicle over a third party's WebSocket."""

from atalaia.integrations.traffilog.declaration import integration

__all__ = ["integration"]
