"""JSON API of captures and of the templates made of them."""

from atalaia.captures.api.captures import ROUTES as CAPTURE_ROUTES
from atalaia.captures.api.templates import ROUTES as TEMPLATE_ROUTES

ROUTES = (*CAPTURE_ROUTES, *TEMPLATE_ROUTES)
