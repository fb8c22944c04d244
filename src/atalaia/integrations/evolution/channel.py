"""The kind of channel `whatsapp`: short texts to one or more numbers."""

from typing import Any, Final

from atalaia.core.translations import N_
from atalaia.integrations.evolution.api import EvolutionApi
from atalaia.integrations.evolution.numbers import FIELD, digits_of, read_number, read_numbers
from atalaia.sdk.channels import ChannelField, ChannelKind, ChannelMessage, DirectMessage, Values, take_fields

KIND: Final = "whatsapp"


class WhatsApp(ChannelKind):
    name = KIND
    title = N_("WhatsApp")
    hint = N_("To phone numbers, through your Evolution API")
    # There is no key by which a receiver could know a message again.
    is_repeatable = False
    takes_direct = True
    fields = (
        ChannelField(
            FIELD,
            N_("Phone numbers"),
            "lines",
            help=N_("One a line, with the country code, as +55 11 91234-5678. Each is on record by itself."),
            placeholder="+55 11 91234-5678",
        ),
    )

    def __init__(self, api: EvolutionApi) -> None:
        self._api = api

    def check(self, values: Values) -> dict[str, Any]:
        return {FIELD: read_numbers(take_fields(self.fields, values)[FIELD])}

    def describe(self, values: Values) -> str:
        return ", ".join(values[FIELD])

    def targets(self, values: Values) -> list[str]:
        return list(values[FIELD])

    async def await_open(self, values: Values) -> None:  # noqa: ARG002 - one connection for all
        await self._api.await_open()

    async def send(self, values: Values, message: ChannelMessage) -> str:  # noqa: ARG002 - the target says it all
        return await self._api.send_text(digits_of(message.target), message.short)

    def is_ready(self) -> bool:
        return self._api.is_configured

    def takes_answers(self) -> bool:
        return self._api.takes_answers

    def check_address(self, address: str) -> str:
        return read_number(address, "to")

    async def send_direct(self, values: Values, message: DirectMessage) -> str:  # noqa: ARG002 - it needs no channel
        return await self._api.send_text(digits_of(message.to), message.text)
