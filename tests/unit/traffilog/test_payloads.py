"""What an app may send to start a job."""

import msgspec
import pytest

from atalaia.core.errors import BadInput, InvalidFields
from atalaia.integrations.traffilog.payloads import SchemeBuilder, check_once, check_start, client_key
from atalaia.sdk.jobs import JobFailed

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


def test_a_field_that_is_there_twice_is_refused() -> None:
    """A parser keeps the last one, and says nothing: the vehicle acted on would be a guess."""
    body = b'{"vehicleId": 1, "vehicle\\u0049d": 2,' + msgspec.json.encode(GOOD)[1:]

    with pytest.raises(InvalidFields) as caught:
        check_start(body)
    with pytest.raises(JobFailed, match="vehicleId"):
        check_once(body.decode())

    assert caught.value.fields == {"vehicleId": "is there twice"}


@pytest.mark.parametrize("value", [-5, "-5", "١٢", "1.0", "", " ", "1" * 31])
def test_what_is_no_id_is_refused_by_each_way(value: object) -> None:
    body = msgspec.json.encode({**GOOD, "vehicleId": value})

    with pytest.raises(InvalidFields):
        check_start(body)
    with pytest.raises(msgspec.ValidationError, match=r"\$\.vehicleId"):
        msgspec.json.decode(body, type=SchemeBuilder)


@pytest.mark.parametrize("name", ["clientName", "comment"])
def test_a_blank_text_is_refused_by_each_way(name: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=name):
        msgspec.json.decode(msgspec.json.encode({**GOOD, name: " \n"}), type=SchemeBuilder)
