"""The words for what happens to an incident."""

from atalaia.core.translations import N_

# kind of a timeline event -> (its mark, its words)
EVENT_WORDS = {
    "opened": ("opened", N_("Opened")),
    "recovered": ("recovered", N_("Recovered by itself")),
    "superseded": ("closed", N_("Went on as another incident")),
    "closed": ("closed", N_("Closed")),
    "check_removed": ("closed", N_("The check was removed")),
    "acknowledged": ("acknowledged", N_("Acknowledged")),
    "comment": ("comment", N_("Comment")),
    "told": ("message", N_("Message queued")),
    "nobody_told": ("down", N_("Nobody was told: no route fits")),
    "message_delivered": ("message", N_("Message delivered")),
    "message_dead": ("down", N_("Message could not be delivered")),
    "message_unknown": ("down", N_("Nobody knows whether the message went out; it is not sent again")),
}
