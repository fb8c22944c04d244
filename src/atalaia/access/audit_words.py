"""What the audit log calls what is done here."""

from typing import Final

from atalaia.core.translations import N_

AUDIT_WORDS: Final = {
    "person.created": N_("Person added"),
    "person.changed": N_("Person changed"),
    "person.password_link_made": N_("Password link made"),
    "person.password_link_asked": N_("Password link asked for"),
    "person.password_chosen": N_("Password chosen"),
    "person.password_changed": N_("Password changed"),
    "person.second_factor_added": N_("Second factor added"),
    "person.second_factor_removed": N_("Second factor removed"),
    "person.recovery_codes_replaced": N_("Recovery codes replaced"),
    "session.ended": N_("Session ended"),
    "session.others_ended": N_("Other sessions ended"),
    "sign_in.succeeded": N_("Signed in"),
    "sign_in.failed": N_("Sign-in refused"),
    "sign_in.code_failed": N_("Wrong code at sign-in"),
    "key.created": N_("API key created"),
    "key.revoked": N_("API key revoked"),
}
