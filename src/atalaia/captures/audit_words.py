"""What the audit log calls what is done here."""

from typing import Final

from atalaia.core.translations import N_

AUDIT_WORDS: Final = {
    "capture.imported": N_("Capture imported"),
    "capture.deleted": N_("Capture deleted"),
    "template.activated": N_("Template put in force"),
}
