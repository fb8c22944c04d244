"""Work that recurs."""

from atalaia.notify.service.letters import Letters
from atalaia.notify.service.notify import NotifyService
from atalaia.notify.service.sender import Sender
from atalaia.sdk.contribution import Loop

# The sender is woken by each commit and by a timer for the next due time; the period is for what both might miss.
SENDER_PERIOD_S = 5.0
REFRESH_PERIOD_S = 1.0
RETENTION_PERIOD_S = 3600.0


def notify_loops(service: NotifyService, sender: Sender, letters: Letters) -> list[Loop]:
    return [
        Loop("notify-sender", SENDER_PERIOD_S, sender.run, wake=sender.wake),
        Loop("notify-routes", REFRESH_PERIOD_S, service.refresh, leader_only=False),
        Loop("notify-letters", REFRESH_PERIOD_S, letters.refresh, leader_only=False),
        Loop("notify-retention", RETENTION_PERIOD_S, service.prune),
    ]
