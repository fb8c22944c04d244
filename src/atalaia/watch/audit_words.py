"""What the audit log calls what is done here."""

from typing import Final

from atalaia.core.translations import N_

AUDIT_WORDS: Final = {
    "check.created": N_("Check created"),
    "check.changed": N_("Check changed"),
    "check.paused": N_("Check paused"),
    "check.resumed": N_("Check resumed"),
    "check.removed": N_("Check deleted"),
    "incident.acknowledged": N_("Incident acknowledged"),
    "incident.closed": N_("Incident closed"),
}
