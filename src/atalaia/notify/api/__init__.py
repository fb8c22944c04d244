"""JSON routes of the slice."""

from atalaia.notify.api.channels import ChannelsApi
from atalaia.notify.api.routes import DeliveriesApi, RoutesApi

__all__ = ["ChannelsApi", "DeliveriesApi", "RoutesApi"]
