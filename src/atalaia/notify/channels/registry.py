"""The kinds of channels that there are: notify's own, and those of integrations. All come in by `take`."""

from collections.abc import Sequence
from typing import Any

from atalaia.core.errors import ConfigError, Conflict, InvalidField
from atalaia.core.translations import N_
from atalaia.notify.channels.apprise_services import Apprise
from atalaia.notify.channels.mail import Email
from atalaia.notify.channels.tools import Tools
from atalaia.notify.channels.webhook import Webhook
from atalaia.sdk.channels import ChannelKind, ChannelMessage, DirectMessage, Values
from atalaia.sdk.failures import TemporaryFailure

OWN = "notify"


class ChannelKinds:
    def __init__(self) -> None:
        self._kinds: dict[str, tuple[str, ChannelKind]] = {}

    def take(self, owner: str, kinds: Sequence[ChannelKind]) -> None:
        """All of them, or none. Raises: ConfigError: a name is taken."""
        for kind in kinds:
            if kind.name in self._kinds:
                raise ConfigError(f"there is a kind of channel {kind.name} already")
        self._kinds.update({kind.name: (owner, kind) for kind in kinds})

    def forget(self, owner: str) -> None:
        self._kinds = {name: each for name, each in self._kinds.items() if each[0] != owner}

    def all(self) -> list[ChannelKind]:
        return [kind for _, kind in self._kinds.values()]

    def of(self, name: str) -> ChannelKind:
        """Of a channel that there is; whoever gave its kind may be gone, or have failed to start."""
        found = self._kinds.get(name)
        return found[1] if found else AbsentKind(name)

    def choose(self, name: str) -> ChannelKind:
        """For a new channel. Raises: InvalidField."""
        found = self._kinds.get(name)
        if found is None:
            raise InvalidField("kind", "Choose one of: {allowed}.", allowed=", ".join(self._kinds))
        return found[1]


class AbsentKind(ChannelKind):
    """Its channels stay, and their messages wait."""

    title = N_("Not available")

    def __init__(self, name: str) -> None:
        self.name = name

    def check(self, values: Values) -> dict[str, Any]:  # noqa: ARG002 - the contract's form
        raise Conflict(N_("this kind of channel is not available now: {kind}"), kind=self.name)

    def describe(self, values: Values) -> str:  # noqa: ARG002 - the contract's form
        return self.name

    async def send(self, values: Values, message: ChannelMessage) -> str:  # noqa: ARG002 - the contract's form
        raise self._absence()

    async def send_direct(self, values: Values, message: DirectMessage) -> str:  # noqa: ARG002 - the contract's form
        raise self._absence()

    def _absence(self) -> TemporaryFailure:
        return TemporaryFailure(
            "This kind of channel is not available now: {kind}", kind=self.name, may_have_arrived=False
        )


def own_kinds(tools: Tools) -> Sequence[ChannelKind]:
    return (Webhook(tools), Email(tools), Apprise(tools))
