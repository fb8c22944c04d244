"""What the audit log calls what is done here."""

from typing import Final

from atalaia.core.translations import N_

AUDIT_WORDS: Final = {
    "agent.enrolled": N_("Agent connected"),
    "agent.renamed": N_("Agent renamed"),
    "agent.retired": N_("Agent retired"),
    "agent.taken_back": N_("Agent taken back"),
    "enrolment.created": N_("Enrolment of an agent begun"),
    "enrolment.withdrawn": N_("Enrolment of an agent withdrawn"),
}
