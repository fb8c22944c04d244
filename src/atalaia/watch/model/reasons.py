"""Reasons of failures: kept as `code: what the agent said`, shown as words of the reader's language and that as detail.

Codes: atalaia_agent.failures and its probes (docs/integrations of the agent), and those of the decider.
"""

from collections.abc import Callable
from typing import Final

import msgspec

from atalaia.core.translations import N_

REASONS: Final = {
    "address_denied": N_("The address is not allowed"),
    "agent_silent": N_("The agent is silent"),
    "assertion_failed": N_("The answer is not as expected"),
    "authentication_failed": N_("Sign-in to the target was refused"),
    "bad_option": N_("The check is set up wrongly"),
    "bad_redirect": N_("It redirects to an address that can't be used"),
    "bad_response": N_("The answer can't be understood"),
    "command_failed": N_("The command failed"),
    "connection_failed": N_("No connection"),
    "connection_refused": N_("Connection refused"),
    "connection_reset": N_("Connection broken off"),
    "dns_failed": N_("The name is not found"),
    "dns_no_answer": N_("The name server does not answer"),
    "driver_missing": N_("The agent lacks a driver"),
    "error": N_("It could not be measured"),
    "exit status": N_("The job failed"),
    "fail": N_("It fails"),
    "failed": N_("It failed"),
    "host_unreachable": N_("The host can't be reached"),
    "internal_error": N_("The agent has made a mistake"),
    "limit_exceeded": N_("A limit is exceeded"),
    "line_down": N_("The agent's own line is down"),
    "network_error": N_("Network fault"),
    "network_unreachable": N_("The network can't be reached"),
    "no_resolver": N_("The machine has no name server"),
    "not_installed": N_("The agent lacks a driver"),
    "not_permitted": N_("The agent lacks a permission"),
    "overdue": N_("No ping came in time"),
    "packet_loss": N_("Packets are lost"),
    "query_failed": N_("The query failed"),
    "slow": N_("It answers slowly"),
    "status_mismatch": N_("Unexpected HTTP status"),
    "timeout": N_("No answer in time"),
    "tls_expired": N_("The certificate has expired"),
    "tls_expiring": N_("The certificate expires soon"),
    "tls_failed": N_("TLS could not be set up"),
    "tls_name_mismatch": N_("The certificate is for another name"),
    "tls_untrusted": N_("The certificate is not trusted"),
    "too_large": N_("The answer is too large"),
    "too_many_redirects": N_("Too many redirects"),
    "too_many_samples": N_("Too many samples"),
    "unknown_kind": N_("The agent is too old for this kind of check"),
}


class Reason(msgspec.Struct, frozen=True):
    """`words` for people; `detail` is the raw text, empty where it says nothing more."""

    words: str
    detail: str = ""

    @property
    def line(self) -> str:
        """Both in one line."""
        return f"{self.words} · {self.detail}" if self.detail else self.words


def shown_reason(text: str | None, retell: Callable[[str], str]) -> Reason:
    """What is kept of a reason, for a reader; a text without a known code is its own words, and none has no words."""
    if not text:
        return Reason("")
    code, _, detail = text.partition(": ")
    known = REASONS.get("exit status" if code.startswith("exit status") else code)
    if known is None:
        return Reason(retell(text))
    # Of a job, the status is all there is to know besides what it said.
    words, more = retell(known), text if code.startswith("exit status") else retell(detail)
    return Reason(words, "" if more.casefold() == words.casefold() else more)
