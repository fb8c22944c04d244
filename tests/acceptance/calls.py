"""A small HTTP client for tests: what a script would send, and the whole answer."""

import http.client
import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

TIMEOUT_S = 30


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: dict[str, str]  # names in lower case
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def text(self) -> str:
        return self.body.decode()


@dataclass(frozen=True, slots=True)
class Client:
    """Calls of one key, or of nobody; a connection each."""

    url: str
    key: str | None = None

    def request(
        self, method: str, path: str, *, body: bytes | None = None, headers: dict[str, str] | None = None
    ) -> Answer:
        sent = {"Authorization": f"Bearer {self.key}"} if self.key else {}
        connection = http.client.HTTPConnection(urlsplit(self.url).netloc, timeout=TIMEOUT_S)
        try:
            connection.request(method, path, body=body, headers={**sent, **(headers or {})})
            response = connection.getresponse()
            names = {name.lower(): value for name, value in response.getheaders()}
            return Answer(response.status, names, response.read())
        finally:
            connection.close()

    def send(self, method: str, path: str, value: Any) -> Answer:
        return self.request(method, path, body=json.dumps(value).encode(), headers={"Content-Type": "application/json"})

    def get(self, path: str) -> Answer:
        return self.request("GET", path)

    def post(self, path: str, value: Any) -> Answer:
        return self.send("POST", path, value)

    def made(self, path: str, value: Any) -> Any:
        """POST what must be taken; the answer's value."""
        answer = self.post(path, value)
        assert answer.status in {200, 201}, (answer.status, answer.text)
        return answer.json

    def items(self, path: str) -> list[Any]:
        """All items of a list, page by page."""
        found: list[Any] = []
        cursor = ""
        while True:
            answer = self.get(path + cursor)
            assert answer.status == 200, (answer.status, answer.text)
            found += answer.json["items"]
            if not answer.json["next"]:
                return found
            cursor = f"{'&' if '?' in path else '?'}cursor={answer.json['next']}"
