"""A signed-in person for benchmarks that ask for pages."""

import re
import subprocess
from http.client import HTTPConnection
from urllib.parse import urlencode

from benchmarks.hub import ATALAIA, BenchHub

EMAIL, PASSWORD = "bench@example.org", "a long enough password to measure with"


def signed_in_cookie(hub: BenchHub) -> str:
    """The Cookie header of an administrator's session."""
    command = [ATALAIA, "user", "create", EMAIL, "--role", "ADMIN", "--password-stdin", "--data-dir", str(hub.data_dir)]
    subprocess.run(command, input=PASSWORD.encode(), check=True, capture_output=True)
    connection = HTTPConnection("127.0.0.1", hub.port, timeout=30)
    connection.request("GET", "/sign-in", headers={"Accept": "text/html"})
    answer = connection.getresponse()
    page, cookies = answer.read().decode(), _cookies(answer.headers.get_all("set-cookie") or [])
    proof = re.search(r'name="csrf_token" value="([^"]+)"', page)
    form = urlencode({"email": EMAIL, "password": PASSWORD, "csrf_token": proof[1] if proof else ""})
    headers = {"Cookie": cookies, "Content-Type": "application/x-www-form-urlencoded", "Accept": "text/html"}
    connection.request("POST", "/sign-in", form, headers)
    answer = connection.getresponse()
    answer.read()
    if answer.status != 303:
        raise RuntimeError(f"sign-in: {answer.status}")
    return _cookies(answer.headers.get_all("set-cookie") or [])


def _cookies(headers: list[str]) -> str:
    return "; ".join(header.partition(";")[0] for header in headers)
