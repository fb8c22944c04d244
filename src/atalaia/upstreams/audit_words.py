"""What the audit log calls what is done here."""

from typing import Final

from atalaia.core.translations import N_

AUDIT_WORDS: Final = {
    "upstream.token_given": N_("Token entered"),
    "upstream.token_renewed": N_("Token renewed"),
    "upstream.breaker_reset": N_("Breaker reset"),
    "upstream.notes_changed": N_("Runbook and contacts changed"),
}
