"""What can be told of an address when it is typed."""

import pytest

from atalaia.core.errors import InvalidField
from atalaia.notify.service.targets import refuse_unreachable
from atalaia.outbound.guard import Guard

PRIVATE = (
    "http://127.0.0.1:8080/hook",
    "https://10.1.2.3/",
    " http://192.168.0.9/x",
    "http://[::1]/",
    "http://[::ffff:10.0.0.1]/",
    "http://localhost/hook",
)
METADATA = "http://169.254.169.254/latest/meta-data"


@pytest.mark.parametrize("url", [*PRIVATE, METADATA])
def test_a_private_address_is_refused_when_it_is_typed(url: str) -> None:
    with pytest.raises(InvalidField) as refused:
        refuse_unreachable({"url": url}, Guard())
    assert refused.value.field == "url"


@pytest.mark.parametrize("url", PRIVATE)
def test_where_private_addresses_are_allowed_they_are(url: str) -> None:
    refuse_unreachable({"url": url}, Guard(allow_private=True))


def test_metadata_is_refused_all_the_same() -> None:
    with pytest.raises(InvalidField):
        refuse_unreachable({"url": METADATA}, Guard(allow_private=True))


@pytest.mark.parametrize(
    "url", ["https://example.org/", "http://8.8.8.8/", "http://[", "ntfy://10.0.0.1/x", "", None, 7]
)
def test_a_name_and_what_is_no_web_address_are_told_elsewhere(url: object) -> None:
    refuse_unreachable({"url": url}, Guard())
