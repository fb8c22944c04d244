"""WhatsApp through the Evolution API: a kind of channel for messages to phone numbers, and how the connection stands."""

from atalaia.integrations.evolution.declaration import integration

__all__ = ["integration"]
