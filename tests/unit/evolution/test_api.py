"""What an answer of the Evolution API proves: sent, surely not, or nobody knows. On the simulator, whose own record is the truth."""

from collections.abc import Iterator
from typing import Any

import pytest

from atalaia.core.errors import AtalaiaError
from atalaia.integrations.evolution.api import EvolutionApi
from atalaia.sdk.failures import AuthExpired, BadPayload, PermanentFailure, TemporaryFailure
from tests.servers import free_port
from tests.unit.evolution.ground import NUMBER, a_phone, drive
from tests.unit.simulators.evolution.phone import Phone


@pytest.fixture
def phone() -> Iterator[Phone]:
    with a_phone() as phone:
        yield phone


async def send(api: EvolutionApi) -> str:
    return await api.send_text(NUMBER, "olá")


async def ask(api: EvolutionApi) -> str:
    return await api.state()


async def await_open(api: EvolutionApi) -> None:
    await api.await_open()


def failure_of(phone: Phone, act: Any = send, **settings: Any) -> AtalaiaError:
    with pytest.raises(AtalaiaError) as failed:
        drive(phone.url, act, **settings)
    return failed.value


def test_a_text_that_is_taken_is_sent(phone: Phone) -> None:
    assert drive(phone.url, send) == "201 PENDING"
    assert [(each["number"], each["text"]) for each in phone.messages()] == [(NUMBER, "olá")]


def test_a_text_that_is_taken_in_another_form_is_sent_all_the_same(phone: Phone) -> None:
    phone.faults(changed_shape=True)
    assert drive(phone.url, send) == "201"


def test_a_number_that_is_not_on_whatsapp_is_named_and_never_tried_again(phone: Phone) -> None:
    phone.faults(not_on_whatsapp=[NUMBER])
    failure = failure_of(phone)
    assert isinstance(failure, PermanentFailure)
    assert NUMBER in str(failure)


@pytest.mark.parametrize("fault", ["fail_after_send", "fail_before_send", "cut_after_send", "cut_before_send"])
def test_a_400_and_a_cut_prove_nothing_and_are_not_repeated(phone: Phone, fault: str) -> None:
    phone.faults(**{fault: True})
    failure = failure_of(phone)
    assert isinstance(failure, TemporaryFailure)
    assert failure.may_have_arrived
    assert len(phone.log()) == 1


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_a_5xx_proves_nothing_and_is_not_repeated(phone: Phone, status: int) -> None:
    phone.faults(status=status)
    failure = failure_of(phone)
    assert isinstance(failure, TemporaryFailure)
    assert failure.may_have_arrived
    assert len(phone.log()) == 1


@pytest.mark.parametrize("status", [403, 404, 405, 413, 429])
def test_what_is_answered_before_anything_is_done_proves_that_nothing_was_sent(phone: Phone, status: int) -> None:
    phone.faults(status=status)
    failure = failure_of(phone)
    assert isinstance(failure, TemporaryFailure)
    assert not failure.may_have_arrived


def test_a_wrong_key_and_another_instance_prove_it_too(phone: Phone) -> None:
    assert isinstance(failure_of(phone, api_key="wrong"), AuthExpired)
    other = failure_of(phone, instance="other/../x")
    assert isinstance(other, TemporaryFailure)
    assert not other.may_have_arrived
    assert "does not exist" in str(other)
    assert phone.messages() == []


def test_where_nobody_listens_nothing_was_sent(phone: Phone) -> None:
    failure = failure_of(phone, base_url=f"http://127.0.0.1:{free_port()}")
    assert isinstance(failure, TemporaryFailure)
    assert not failure.may_have_arrived


@pytest.mark.parametrize("state", ["open", "connecting", "close"])
def test_the_state_is_as_it_says(phone: Phone, state: str) -> None:
    phone.faults(state=state)
    assert drive(phone.url, ask) == state


def test_a_state_in_another_form_is_named(phone: Phone) -> None:
    phone.faults(changed_shape=True)
    assert isinstance(failure_of(phone, ask), BadPayload)


@pytest.mark.parametrize(
    ("faults", "settings"),
    [
        ({"state": "close"}, {}),
        ({"state": "connecting"}, {}),
        ({"status": 502}, {}),
        ({"changed_shape": True}, {}),
        ({}, {"api_key": "wrong"}),
        ({}, {"base_url": ""}),
        ({}, {"base_url": "nonsense"}),
    ],
)
def test_whatever_keeps_it_from_knowing_that_it_is_open_nothing_was_sent(
    phone: Phone, faults: dict[str, Any], settings: dict[str, Any]
) -> None:
    phone.faults(**faults)
    failure = failure_of(phone, await_open, **settings)
    assert isinstance(failure, TemporaryFailure)
    assert not failure.may_have_arrived


def test_an_address_with_a_path_is_kept(phone: Phone) -> None:
    failure = failure_of(phone, base_url=f"{phone.url}/wa/")
    assert isinstance(failure, TemporaryFailure)
    assert not failure.may_have_arrived
    assert phone.log()[0]["path"] == "/wa/message/sendText/atalaia"
