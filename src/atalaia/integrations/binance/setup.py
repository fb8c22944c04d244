"""What the engine gives to the hub."""

from atalaia.sdk.integration import Host, Offer


def offer(host: Host) -> Offer:  # noqa: ARG001 - the engine needs it
    return Offer()
