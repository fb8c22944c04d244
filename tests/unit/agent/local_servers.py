"""Small servers that answer with exact bytes, and certificates for them."""

import contextlib
import datetime as dt
import ipaddress
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

Handle = Callable[[socket.socket], None]


class Requests(list[bytes]):
    port = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@contextlib.contextmanager
def serving(handle: Handle, *, family: int = socket.AF_INET) -> Iterator[int]:
    """Each connection is handed to `handle` in a thread; gives the port."""
    listener = socket.socket(family)
    listener.bind(("::1" if family == socket.AF_INET6 else "127.0.0.1", 0))
    listener.listen()
    threads: list[threading.Thread] = []

    def accept() -> None:
        with contextlib.suppress(OSError):
            while True:
                sock, _ = listener.accept()
                threads.append(threading.Thread(target=_run, args=(handle, sock), daemon=True))
                threads[-1].start()

    accepting = threading.Thread(target=accept, daemon=True)
    accepting.start()
    try:
        yield listener.getsockname()[1]
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        accepting.join(5)
        for thread in threads:
            thread.join(5)


def _run(handle: Handle, sock: socket.socket) -> None:
    with sock, contextlib.suppress(OSError, ssl.SSLError):
        sock.settimeout(5)
        handle(sock)


def read_request(sock: socket.socket) -> bytes:
    data = b""
    while b"\r\n\r\n" not in data:
        part = sock.recv(65_536)
        if not part:
            return data
        data += part
    head, _, body = data.partition(b"\r\n\r\n")
    lengths = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
    size = int(lengths[0].split(b":")[1]) if lengths else 0
    while len(body) < size:
        body += sock.recv(65_536)
    return head + b"\r\n\r\n" + body


@contextlib.contextmanager
def http_answering(*answers: bytes) -> Iterator[Requests]:
    """The answers in turn, the last one again and again; gives the requests that came."""
    requests = Requests()
    waiting = list(answers)

    def handle(sock: socket.socket) -> None:
        requests.append(read_request(sock))
        sock.sendall(waiting.pop(0) if len(waiting) > 1 else waiting[0])

    with serving(handle) as port:
        requests.port = port
        yield requests


def http(status: str = "200 OK", body: bytes = b"ok", **headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status}", *(f"{name.replace('_', '-')}: {value}" for name, value in headers.items())]
    return "\r\n".join([*lines, f"Content-Length: {len(body)}", "", ""]).encode() + body


@contextlib.contextmanager
def silent() -> Iterator[int]:
    """Takes connections and says nothing until the client leaves."""
    with serving(lambda sock: sock.recv(65_536) and sock.recv(1)) as port:  # type: ignore[arg-type]
        yield port


@contextlib.contextmanager
def dropping() -> Iterator[int]:
    """A port whose queue is full: the kernel drops what wants to connect, as a dead network does."""
    with socket.socket() as listener, contextlib.ExitStack() as stack:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(4):
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(listener.getsockname())
        yield listener.getsockname()[1]


class Pki(NamedTuple):
    certificate: Path
    key: Path
    authority_pem: str


def make_pki(folder: Path, *, name: str = "localhost", days: float = 90.0, authority: str = "Test authority") -> Pki:
    now = dt.datetime.now(dt.UTC)
    until = now + dt.timedelta(days=days)
    authority_key, own_key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    issuer = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, authority)])

    def build(subject: x509.Name, key: ec.EllipticCurvePrivateKey, *, is_authority: bool) -> x509.CertificateBuilder:
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(issuer)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - dt.timedelta(days=365))
            .not_valid_after(now + dt.timedelta(days=3_650) if is_authority else until)
            .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
        )

    names = [x509.DNSName(name), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))] if name == "localhost" else []
    own = build(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]), own_key, is_authority=False)
    own = own.add_extension(x509.SubjectAlternativeName(names or [x509.DNSName(name)]), critical=False)
    signed = own.sign(authority_key, hashes.SHA256())
    root = build(issuer, authority_key, is_authority=True).sign(authority_key, hashes.SHA256())
    pem = serialization.Encoding.PEM
    certificate, key = folder / f"{name}-{days}.pem", folder / f"{name}-{days}.key"
    certificate.write_bytes(signed.public_bytes(pem))
    private = serialization.PrivateFormat.PKCS8
    key.write_bytes(own_key.private_bytes(pem, private, serialization.NoEncryption()))
    return Pki(certificate, key, root.public_bytes(pem).decode())


@contextlib.contextmanager
def https_answering(pki: Pki, answer: bytes) -> Iterator[int]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pki.certificate, pki.key)

    def handle(sock: socket.socket) -> None:
        with context.wrap_socket(sock, server_side=True) as secured:
            read_request(secured)
            secured.sendall(answer)

    with serving(handle) as port:
        yield port
