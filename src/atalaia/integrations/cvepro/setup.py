"""What charging gives to the hub."""

from atalaia.sdk.integration import Host, Offer


def offer(host: Host) -> Offer:
    # Late: a worker finds this module too, and has no database.
    from atalaia.integrations.cvepro.wiring import Wiring

    return Wiring(host).offer()
