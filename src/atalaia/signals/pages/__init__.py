"""Pages of signals."""

from atalaia.signals.pages import editing, listing, showing

ROUTES = (*listing.ROUTES, *editing.ROUTES, *showing.ROUTES)
