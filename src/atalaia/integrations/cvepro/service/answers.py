"""What residents write back to a notice: a word that stops them. Everything else is read by people, on the phone of the instance."""

import re
import unicodedata
from datetime import timedelta
from typing import Final

from atalaia.core.errors import InvalidField
from atalaia.core.permissions import SYSTEM
from atalaia.core.translations import Locale
from atalaia.integrations.cvepro.model.notice_values import locale_of
from atalaia.integrations.cvepro.queries import notices as queries
from atalaia.integrations.cvepro.service.notices import WAY, opt_out
from atalaia.sdk.integration import Host
from atalaia.sdk.messages import MessageReceived
from atalaia.sdk.transaction import Tx

# The whole answer: "não vou sair" stops nothing.
_STOPS: Final = frozenset({"sair", "parar", "pare", "cancelar", "descadastrar", "stop", "unsubscribe"})
_BRAZIL: Final = re.compile(r"\+55([1-9]{2})9?([0-9]{8})\Z", re.ASCII)
_LIFE: Final = timedelta(hours=1)
_DONE: Final[dict[Locale, tuple[str, str]]] = {
    "pt-BR": (
        "Avisos de recarga desativados",
        "Pronto: você não recebe mais avisos de recarga. Para voltar a receber, ative-os em {link} ou fale com a administração.",
    ),
    "en": (
        "Charging notices switched off",
        "Done: you get no more notices of your charging. To get them again, switch them on at {link}, or tell the administration.",
    ),
}


class Answers:
    def __init__(self, host: Host, link: str) -> None:
        self._host = host
        self._link = link

    def on_received(self, tx: Tx, received: MessageReceived) -> None:
        """Opt out all who have this number, and say so once."""
        if received.kind != WAY or not is_stop(received.text):
            return
        found = [
            each
            for each in queries.who_listens(tx, numbers_of(received.sender))
            # The same answer told again must not end what was agreed to since. Its time is told in whole seconds.
            if each.opted_in_at is not None and each.opted_in_at.replace(microsecond=0) <= received.at
        ]
        for each in found:
            opt_out(self._host, tx, each.id, by=SYSTEM, answered=received.text)
        if found and found[0].phone is not None:
            self._confirm(tx, found[0].phone, locale_of(found[0]))

    def _confirm(self, tx: Tx, phone: str, locale: Locale) -> None:
        subject, text = _DONE[locale]
        try:
            self._host.message(
                tx,
                kind=WAY,
                to=phone,
                subject=subject,
                text=text.replace("{link}", self._link),
                expires_at=self._host.clock.now() + _LIFE,
            )
        except InvalidField:  # a number that can't be written to has stopped all the same
            return


def is_stop(text: str) -> bool:
    plain = unicodedata.normalize("NFKD", text).casefold()
    return "".join(letter for letter in plain if letter.isalpha()) in _STOPS


def numbers_of(sender: str) -> tuple[str, ...]:
    """On WhatsApp a Brazilian line may stand without its ninth digit, whichever way it is written elsewhere."""
    brazilian = _BRAZIL.match(sender)
    if brazilian is None:
        return (sender,)
    area, rest = brazilian.groups()
    return f"+55{area}9{rest}", f"+55{area}{rest}"
