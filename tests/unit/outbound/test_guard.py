import pytest
from hypothesis import given
from hypothesis import strategies as st

from atalaia.core.errors import TargetRefused
from atalaia.outbound.guard import Guard, Trust, is_public

METADATA = ["169.254.169.254", "fd00:ec2::254", "::ffff:169.254.169.254", "64:ff9b::a9fe:a9fe", "100.100.100.200"]
PRIVATE = [
    "127.0.0.1",
    "127.9.9.9",
    "0.0.0.0",  # noqa: S104 - as a target
    "10.1.2.3",
    "172.16.0.1",
    "192.168.1.1",
    "100.64.0.1",
    "169.254.1.1",
    "224.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "fe80::1%eth0",
    "fc00::1",
    "fec0::1",
    "ff02::1",
    "::ffff:10.0.0.1",
    "64:ff9b::7f00:1",
    "2002:7f00:1::1",
    "::127.0.0.1",
]
PUBLIC = ["1.1.1.1", "93.184.215.14", "2606:4700:4700::1111", "::ffff:1.1.1.1"]


@pytest.mark.parametrize("address", PRIVATE)
def test_a_typed_private_address_is_refused(address: str) -> None:
    with pytest.raises(TargetRefused) as refused:
        Guard().check(address, trust=Trust.TYPED)
    assert "ATALAIA_ALLOW_PRIVATE_TARGETS" in (refused.value.hint or "")


@pytest.mark.parametrize("address", PRIVATE)
def test_the_setting_and_the_configuration_allow_private_addresses(address: str) -> None:
    Guard(allow_private=True).check(address, trust=Trust.TYPED)
    Guard().check(address, trust=Trust.CONFIGURED)


@pytest.mark.parametrize("address", METADATA)
@pytest.mark.parametrize("trust", list(Trust))
def test_metadata_services_are_never_reached(address: str, trust: Trust) -> None:
    with pytest.raises(TargetRefused):
        Guard(allow_private=True).check(address, trust=trust)


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses_pass(address: str) -> None:
    Guard().check(address, trust=Trust.TYPED)


@given(st.ip_addresses(v=4))
def test_an_ipv4_address_is_judged_alike_in_every_coat(address: object) -> None:
    number = int(address)  # type: ignore[call-overload]
    assert is_public(f"::ffff:{address}") == is_public(str(address))
    assert is_public(f"64:ff9b::{number >> 16:x}:{number & 0xFFFF:x}") == is_public(str(address))
