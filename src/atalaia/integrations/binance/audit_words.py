"""What the audit log calls what is done here."""

from typing import Final

from atalaia.core.translations import N_

AUDIT_WORDS: Final = {
    "binance.account_added": N_("Exchange account added"),
    "binance.account_removed": N_("Exchange account removed"),
    "binance.panic": N_("Everything closed at once"),
    "binance.operation_created": N_("Operation created"),
    "binance.operation_changed": N_("Operation changed"),
    "binance.operation_started": N_("Auto-close started"),
    "binance.operation_stopped": N_("Auto-close stopped"),
    "binance.operation_given_up": N_("Operation given up"),
    "binance.operation_close_wanted": N_("Close asked for"),
}
