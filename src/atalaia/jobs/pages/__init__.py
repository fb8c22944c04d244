"""Pages of jobs."""

from atalaia.jobs.pages import free, listing, showing, starting, workers

ROUTES = (*listing.ROUTES, *starting.ROUTES, *free.ROUTES, *workers.ROUTES, *showing.ROUTES)
