"""What the audit log calls what is done here."""

from typing import Final

from atalaia.core.translations import N_

AUDIT_WORDS: Final = {
    "channel.created": N_("Channel created"),
    "channel.changed": N_("Channel changed"),
    "channel.deleted": N_("Channel deleted"),
    "route.created": N_("Route created"),
    "route.changed": N_("Route changed"),
    "route.deleted": N_("Route deleted"),
}
