"""A browser without a browser: keeps cookies, signs in through the form, reads pages."""

import http.cookiejar
import re
import urllib.error
import urllib.parse
import urllib.request

TIMEOUT_S = 90


class Visitor:
    def __init__(self, url: str, *, language: str = "en") -> None:
        self._url = url
        self._language = language
        jar = urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar())
        self._opener = urllib.request.build_opener(jar)

    def page(self, path: str) -> tuple[int, str]:
        return self._open(
            urllib.request.Request(self._url + path, headers={"Accept": "text/html", "Accept-Language": self._language})
        )

    def sign_in(self, email: str, password: str) -> None:
        _, form = self.page("/sign-in")
        token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', form)
        assert token is not None, form
        fields = {"email": email, "password": password, "csrf_token": token[1]}
        data = urllib.parse.urlencode(fields).encode()
        status, page = self._open(
            urllib.request.Request(self._url + "/sign-in", data=data, headers={"Accept": "text/html"})
        )
        assert status == 200, page

    def submit(self, path: str, fields: dict[str, str], *, to: str | None = None) -> tuple[int, str]:
        """Send the form of the page at `path` (to another address, where it says so); what it leads to."""
        _, page = self.page(path)
        token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page)
        assert token is not None, page
        data = urllib.parse.urlencode({**fields, "csrf_token": token[1]}).encode()
        return self._open(urllib.request.Request(self._url + (to or path), data=data, headers={"Accept": "text/html"}))

    def _open(self, request: urllib.request.Request) -> tuple[int, str]:
        try:
            with self._opener.open(request, timeout=TIMEOUT_S) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()
