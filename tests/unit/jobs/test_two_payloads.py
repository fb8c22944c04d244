"""A body with two payloads is refused, since one of them would be lost; what a payload says within is its own."""

import pytest

from atalaia.core.errors import InvalidField
from atalaia.jobs.api.bodies import job_of

LONG = b'{"payload":"' + b"x" * 100 + b'"}'
DEEP = b"[" * 900 + b"]" * 900


@pytest.mark.parametrize("first", [b"1", b"{}", LONG, DEEP])
@pytest.mark.parametrize("second", [b"2", b"1", LONG, DEEP])
def test_two_payloads_are_refused(first: bytes, second: bytes) -> None:
    with pytest.raises(InvalidField, match="more than once") as raised:
        job_of(b'{"payload":' + first + b',"type":"mow", "payload" : ' + second + b',"priority":1}')
    assert raised.value.field == "payload"


@pytest.mark.parametrize(
    "payload", [b"1", b'"payload"', b'{"payload":1,"payload":2}', LONG, b"[" + LONG + b"," + LONG + b"]", DEEP]
)
def test_what_a_payload_says_within_is_its_own(payload: bytes) -> None:
    job = job_of(b'{"unique_key":"payload","type":"payload","payload":' + payload + b',"queue":"payload"}')
    assert bytes(job.payload) == payload
