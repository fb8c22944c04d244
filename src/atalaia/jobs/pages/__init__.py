"""Pages of jobs."""

from atalaia.jobs.pages import listing, showing, starting, workers

ROUTES = (*listing.ROUTES, *starting.ROUTES, *workers.ROUTES, *showing.ROUTES)
