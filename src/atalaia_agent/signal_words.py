"""What the signaller says, in Portuguese and English."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class Words(NamedTuple):
    labels: tuple[str, str, str, str, str, str]
    decimal_sign: str
    begins: str
    no_answer: str
    failed: str
    refused: str
    unanswered: str
    back: str
    reasons: Mapping[str, str]


ENGLISH = Words(
    labels=("Uptime", "Signals sent", "Successful signals", "Failed signals", "Success rate", "Last status"),
    decimal_sign=".",
    begins="signals to {address} every {interval} s",
    no_answer="no answer",
    failed="signals fail: {status}",
    refused="signals fail: {status}, the key is refused; is it this signal's key?",
    unanswered="signals are not answered: {reason}",
    back="signals are answered again after {}",
    reasons={},
)

PORTUGUESE = Words(
    labels=(
        "Tempo ativo",
        "Total de sinais enviados",
        "Sinais bem-sucedidos",
        "Sinais com falha",
        "Taxa de sucesso",
        "Último status",
    ),
    decimal_sign=",",
    begins="sinais para {address} a cada {interval} s",
    no_answer="sem resposta",
    failed="os sinais falham: {status}",
    refused="os sinais falham: {status}, a chave foi recusada; é a chave deste sinal?",
    unanswered="os sinais estão sem resposta: {reason}",
    back="os sinais voltaram a ser respondidos depois de {}",
    reasons={
        "timeout": "o tempo se esgotou",
        "connection_refused": "conexão recusada",
        "connection_reset": "conexão interrompida",
        "network_unreachable": "rede inacessível",
        "host_unreachable": "máquina inacessível",
        "network_error": "erro de rede",
        "dns_failed": "o nome não foi resolvido",
        "bad_response": "a resposta não é HTTP",
        "tls_failed": "o TLS falhou",
        "tls_expired": "o certificado venceu",
        "tls_untrusted": "o certificado não é confiável",
        "tls_name_mismatch": "o certificado é de outro nome",
    },
)


def words_of(language: str, environment: Mapping[str, str]) -> Words:
    """`language`: "pt", "en", or empty for what the environment says, as setlocale(3) reads it."""
    said = language or next(
        (environment[name] for name in ("LC_ALL", "LC_MESSAGES", "LANG") if environment.get(name)), ""
    )
    return PORTUGUESE if said.lower().startswith("pt") else ENGLISH
