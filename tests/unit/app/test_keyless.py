"""Which addresses may call a kept endpoint without a key."""

import pytest

from atalaia.app.keyless import is_within


@pytest.mark.parametrize(
    ("address", "networks", "expected"),
    [
        ("10.1.2.3", (), False),
        ("10.1.2.3", ("10.0.0.0/8",), True),
        ("11.1.2.3", ("10.0.0.0/8",), False),
        ("10.1.2.3", ("10.1.2.3",), True),
        ("10.1.2.3", (" 10.1.2.7/24 ",), True),
        ("::ffff:10.1.2.3", ("10.0.0.0/8",), True),
        ("fd00::7", ("fd00::/8", "10.0.0.0/8"), True),
        ("10.1.2.3", ("fd00::/8",), False),
        ("10.1.2.3", ("nonsense", "10.0.0.0/8"), True),
        ("-", ("0.0.0.0/0", "::/0"), False),
    ],
)
def test_only_those_of_the_named_networks(address: str, networks: tuple[str, ...], expected: bool) -> None:
    assert is_within(address, networks) is expected
