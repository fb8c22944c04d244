"""What notify tells: the fate of messages, for an incident's timeline, and channels that do not work."""

from datetime import datetime

from atalaia.core.events import Event


class MessageSettled(Event, frozen=True, kw_only=True):
    """A message has arrived (`outcome` delivered) or was given up (dead); one event for each incident in it."""

    incident_id: str
    channel_id: str
    channel_name: str
    message_event: str
    outcome: str
    status: str
    at: datetime


class ChannelTroubled(Event, frozen=True, kw_only=True):
    """Nothing has got through to a channel for ten minutes, or a message was given up: to be told through another one.

    Told once, until `ChannelRecovered`. Hand `notify_incident` the channel in `except_channels`.
    """

    channel_id: str
    channel_name: str
    reason: str
    at: datetime


class ChannelRecovered(Event, frozen=True, kw_only=True):
    """A message got through to a channel that was in trouble, or the channel is no more."""

    channel_id: str
    channel_name: str
    at: datetime
