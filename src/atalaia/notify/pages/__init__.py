"""Pages of the slice."""

from atalaia.notify.pages.channels import ChannelPages
from atalaia.notify.pages.deliveries import DeliveryPages
from atalaia.notify.pages.routes import RoutePages

__all__ = ["ChannelPages", "DeliveryPages", "RoutePages"]
