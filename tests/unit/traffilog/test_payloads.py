"""What an app may send to start a job."""

import msgspec
import pytest

from atalaia.core.errors import BadInput, InvalidFields
from atalaia.integrations.traffilog.payloads import SchemeBuilder, check_start, client_key

GOOD = {"clientId": 7, "clientName": "Zé", "vehicleId": "12", "vehicleSettingId": 3, "comment": "oi"}


def test_numbers_and_numeric_strings_are_both_taken() -> None:
    check_start(msgspec.json.encode(GOOD))
    check_start(msgspec.json.encode({name: str(value) for name, value in GOOD.items()}))


def test_every_missing_and_empty_field_is_named() -> None:
    with pytest.raises(InvalidFields) as caught:
        check_start(
            b'{"clientId": "", "clientName": null, "vehicleId": true, "vehicleSettingId": "x1", "comment": "  "}'
        )

    assert list(caught.value.fields) == ["clientId", "clientName", "vehicleId", "vehicleSettingId", "comment"]


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"7", b"\xff"])
def test_what_is_no_object_is_refused(body: bytes) -> None:
    with pytest.raises(BadInput):
        check_start(body)


def test_jobs_of_one_client_share_a_key_however_it_is_written() -> None:
    number = msgspec.json.decode(msgspec.json.encode(GOOD), type=SchemeBuilder)
    text = msgspec.json.decode(msgspec.json.encode({**GOOD, "clientId": " 7"}), type=SchemeBuilder)

    assert client_key(number) == client_key(text)
