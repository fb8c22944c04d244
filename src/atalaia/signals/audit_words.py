"""What the audit log calls what is done here."""

from typing import Final

from atalaia.core.translations import N_

AUDIT_WORDS: Final = {
    "signal.created": N_("Signal created"),
    "signal.changed": N_("Signal changed"),
    "signal.dropped": N_("Signal deleted"),
}
