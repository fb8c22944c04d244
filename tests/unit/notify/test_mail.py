import asyncio
import ssl
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from atalaia.core.errors import InvalidField, TargetRefused
from atalaia.notify.channels import mail
from atalaia.notify.channels.mail import Email
from atalaia.notify.model.notice import MessageEvent
from atalaia.sdk.channels import DirectMessage
from atalaia.sdk.failures import NoSuchAddress, PermanentFailure, TemporaryFailure
from tests.unit.notify.samples import IDLE, NOW, outgoing, tools
from tests.unit.notify.smtp_server import Mailbox, mail_server

VALUES = {"host": "localhost", "sender": "Atalaia <hub@hub.test>", "recipients": ["a@x.test", "b@x.test"]}


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tls")
    path = folder / "both.pem"
    subprocess.run(
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost "
        f"-addext subjectAltName=DNS:localhost -keyout {folder}/key -out {folder}/cert".split(),
        check=True,
        capture_output=True,
    )
    path.write_bytes((folder / "key").read_bytes() + (folder / "cert").read_bytes())
    return path


def _server_context(certificate: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


async def _send(box: Mailbox, *, allow_private: bool = True, **values: Any) -> str:
    with tools(allow_private=allow_private) as given:
        message = outgoing(MessageEvent.OPENED, "Página fora\r\nBcc: x@evil.test")
        kept = Email(IDLE).check({**VALUES, "port": box.port, **values})
        return await Email(given).send(kept, message)


def _deliver(answers: dict[str, str] | None = None, *, allow_private: bool = True) -> tuple[str, Mailbox]:
    async def run() -> tuple[str, Mailbox]:
        async with mail_server() as box:
            box.answers.update(answers or {})
            return await _send(box, security="none", allow_private=allow_private), box

    return asyncio.run(run())


def test_a_mail_has_text_and_html_and_the_deliverys_id() -> None:
    status, box = _deliver()
    mail = box.mails[0]
    text, html = mail.get_body(("plain",)), mail.get_body(("html",))
    assert status == "250 OK"
    assert text is not None
    assert html is not None
    assert "HTTP 503" in text.get_content()
    assert "<a href=" in html.get_content()
    assert mail["Message-ID"] == "<d1@hub.test>"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert box.recipients == ["a@x.test", "b@x.test"]


def test_a_title_can_not_add_a_header() -> None:
    _, box = _deliver()
    assert box.mails[0]["Bcc"] is None
    assert "Página fora" in box.mails[0]["Subject"]


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_the_line_is_encrypted_and_the_log_in_goes_through_it(
    security: str, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))

    async def run() -> Mailbox:
        async with mail_server(_server_context(certificate), tls=security == "tls") as box:
            await _send(box, security=security, username="me", password="pw")
            return box

    box = asyncio.run(run())
    assert box.was_encrypted
    assert box.log_ins == ["\0me\0pw"]


def test_a_certificate_of_nobody_is_refused(certificate: Path) -> None:
    async def run() -> None:
        async with mail_server(_server_context(certificate), tls=True) as box:
            await _send(box, security="tls")

    with pytest.raises(TemporaryFailure, match="certificate"):
        asyncio.run(run())


def test_an_unknown_recipient_is_given_up_and_a_full_mailbox_tried_again() -> None:
    with pytest.raises(PermanentFailure, match="550"):
        _deliver({"RCPT": "550 no such user"})
    with pytest.raises(TemporaryFailure, match="452"):
        _deliver({"RCPT": "452 full"})


def test_a_server_that_is_busy_is_tried_again() -> None:
    with pytest.raises(TemporaryFailure):
        _deliver({"MAIL": "421 later"})


def test_what_the_server_has_taken_is_not_sent_again_for_how_it_says_goodbye() -> None:
    status, box = _deliver({"QUIT": "421 I was not done"})
    assert (status, len(box.mails)) == ("250 OK", 1)


def test_each_receiver_is_handed_over_by_itself_and_sees_who_else_is_told() -> None:
    async def run() -> Mailbox:
        async with mail_server() as box:
            with tools() as given:
                kept = Email(IDLE).check({**VALUES, "port": box.port, "security": "none"})
                kind = Email(given)
                for target in kind.targets(kept):
                    await kind.send(kept, replace(outgoing(), target=target))
            return box

    box = asyncio.run(run())
    assert box.recipients == ["a@x.test", "b@x.test"]
    assert [mail["To"] for mail in box.mails] == ["a@x.test, b@x.test"] * 2


@asynccontextmanager
async def _rude_server(polite: int, said: bytes, *, times: int, pause_s: float) -> AsyncIterator[tuple[int, list[int]]]:
    """After `polite` answers it says the same over and over; its port, and how many bytes it got rid of."""
    written = [0]
    usual = [b"220 test\r\n", b"250 ok\r\n", b"250 ok\r\n", b"250 ok\r\n", b"354 go on\r\n"]

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            for number, answer in enumerate(usual[:polite]):
                if number:
                    await reader.readline()
                writer.write(answer)
            for _ in range(times):
                writer.write(said)
                await writer.drain()
                written[0] += len(said)
                await asyncio.sleep(pause_s)
        except ConnectionError:
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1], written
    finally:
        server.close()


@pytest.mark.parametrize("polite", range(6))
def test_a_server_that_never_gets_done_holds_nothing_up(polite: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """At each step of the dialogue it says a line now and then, so that no wait for its next word is ever too long."""
    monkeypatch.setattr(mail, "WHOLE_S", 0.3)

    async def run() -> None:
        async with _rude_server(polite, b"250-wait\r\n", times=10**6, pause_s=0.05) as (port, _):
            with tools() as given:  # whose end waits for the threads
                kept = Email(IDLE).check({**VALUES, "port": port, "security": "none"})
                with pytest.raises(TemporaryFailure):
                    await Email(given).send(kept, outgoing())

    asyncio.run(asyncio.wait_for(run(), 30))


def test_an_answer_without_an_end_fills_no_memory() -> None:
    async def run() -> int:
        async with _rude_server(0, b"220-" + b"x" * 500 + b"\r\n", times=100_000, pause_s=0) as (port, written):
            with tools() as given:
                kept = Email(IDLE).check({**VALUES, "port": port, "security": "none"})
                with pytest.raises(TemporaryFailure):
                    await Email(given).send(kept, outgoing())
            return written[0]

    assert asyncio.run(run()) < 20_000_000


def test_a_user_name_needs_its_password() -> None:
    with pytest.raises(InvalidField) as refused:
        Email(IDLE).check({**VALUES, "username": "me"})
    assert refused.value.field == "password"


def test_a_private_mail_server_is_refused_without_the_setting() -> None:
    with pytest.raises(TargetRefused):
        _deliver(allow_private=False)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"recipients": ["nobody"]}, "recipients"),
        ({"recipients": []}, "recipients"),
        ({"recipients": "a@x.test\nb"}, "recipients"),
        ({"sender": "x"}, "sender"),
        ({"port": 70000}, "port"),
        ({"port": "many"}, "port"),
        ({"security": "rot13"}, "security"),
        ({"security": "none", "username": "me"}, "security"),
        ({"host": ""}, "host"),
    ],
)
def test_a_wrong_field_is_named(change: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidField) as refused:
        Email(IDLE).check({**VALUES, **change})
    assert refused.value.field == field


def _write_to(address: str, answers: dict[str, str] | None = None) -> tuple[str, Mailbox]:
    async def run() -> tuple[str, Mailbox]:
        async with mail_server() as box:
            box.answers.update(answers or {})
            with tools(allow_private=True) as given:
                kind = Email(given)
                values = Email(IDLE).check({**VALUES, "port": box.port, "security": "none"})
                message = DirectMessage(
                    delivery="d1",
                    to=kind.check_address(address),
                    subject="Olá\r\nBcc: x",
                    text="Tudo bem?",
                    sent_at=NOW,
                )
                return await kind.send_direct(values, message), box

    return asyncio.run(run())


def test_a_letter_goes_to_one_person_as_text() -> None:
    status, box = _write_to("Ana Souza <ana@x.test>")
    (mail,) = box.mails
    assert status == "250 OK"
    assert (mail["To"], mail["Subject"], mail["Message-ID"]) == (
        "Ana Souza <ana@x.test>",
        "Olá Bcc: x",
        "<d1@hub.test>",
    )
    assert mail.get_content().strip() == "Tudo bem?"
    assert mail["References"] is None


def test_a_mailbox_that_is_not_there_is_nobody_and_one_that_is_full_is_not() -> None:
    with pytest.raises(NoSuchAddress):
        _write_to("ana@x.test", {"RCPT": "550 5.1.1 No such user"})
    with pytest.raises(PermanentFailure) as refused:
        _write_to("ana@x.test", {"RCPT": "552 5.2.2 Mailbox full"})
    assert not isinstance(refused.value, NoSuchAddress)


@pytest.mark.parametrize("address", ["ana", "ana@", "@x.test", "a b@x.test", "ana@x.test\r\nBcc: eve@x.test"])
def test_what_is_no_address_is_refused(address: str) -> None:
    with pytest.raises(InvalidField) as refused:
        Email(IDLE).check_address(address)
    assert refused.value.field == "to"
