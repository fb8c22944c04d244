"""JSON routes of the slice."""

from atalaia.upstreams.api.people import ROUTES as _PEOPLE
from atalaia.upstreams.api.workers import ROUTES as _WORKERS

ROUTES = (*_PEOPLE, *_WORKERS)

__all__ = ["ROUTES"]
