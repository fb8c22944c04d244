import msgspec
import pytest

from atalaia.core.errors import BadInput, InvalidField
from atalaia.core.permissions import SYSTEM
from atalaia.sdk.integration import Request


class Gate(msgspec.Struct):
    position: int


def request(body: bytes) -> Request:
    return Request(
        method="POST", path="/", path_params={}, query={}, headers={}, body=body, principal=SYSTEM, client=None
    )


@pytest.mark.parametrize("body", [b"", b"gate", b'{"position":', b'{"\xff":1}', b'{"x":"\xff"}', b"[" * 100_000])
def test_a_body_that_is_no_json_is_bad_input(body: bytes) -> None:
    with pytest.raises((BadInput, InvalidField)):
        request(body).json(Gate)


def test_a_wrong_field_is_named() -> None:
    with pytest.raises(InvalidField) as caught:
        request(b'{"position": "up"}').json(Gate)
    assert caught.value.field == "position"


def test_what_fits_is_read() -> None:
    assert request(b'{"position": 7}').json(Gate) == Gate(7)
