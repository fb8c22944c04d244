"""The kinds of channels that there are."""

from atalaia.core.errors import InvalidField
from atalaia.notify.channels.apprise_services import Apprise
from atalaia.notify.channels.kind import ChannelKind
from atalaia.notify.channels.mail import Email
from atalaia.notify.channels.webhook import Webhook

KINDS: dict[str, ChannelKind] = {kind.name: kind for kind in (Webhook(), Email(), Apprise())}


def kind_of(name: str) -> ChannelKind:
    """Raises: InvalidField."""
    found = KINDS.get(name)
    if found is None:
        raise InvalidField("kind", "Choose one of: {allowed}.", allowed=", ".join(KINDS))
    return found
