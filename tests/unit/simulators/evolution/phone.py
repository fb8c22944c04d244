"""A raw client of the simulated Evolution API."""

import json
from typing import Any

from atalaia_simulators.evolution import DEFAULT_INSTANCE, DEFAULT_KEY
from tests.acceptance.calls import Client


class Phone:
    def __init__(self, url: str) -> None:
        self.url = url
        self.client = Client(url)

    def faults(self, **wanted: Any) -> None:
        assert self.client.post("/_sim/faults", wanted).status == 200

    def messages(self) -> Any:
        return self.client.get("/_sim/messages").json

    def texts(self) -> list[str]:
        return [each["text"] for each in self.messages()]

    def log(self) -> Any:
        return self.client.get("/_sim/log").json

    def send(
        self, number: str, text: str, *, instance: str = DEFAULT_INSTANCE, key: str = DEFAULT_KEY
    ) -> tuple[int, Any]:
        return self.post_raw({"number": number, "text": text}, instance=instance, key=key)

    def post_raw(self, body: Any, *, instance: str = DEFAULT_INSTANCE, key: str = DEFAULT_KEY) -> tuple[int, Any]:
        return self._ask("POST", f"/message/sendText/{instance}", key, json.dumps(body).encode())

    def state(self, *, key: str = DEFAULT_KEY) -> tuple[int, Any]:
        return self._ask("GET", f"/instance/connectionState/{DEFAULT_INSTANCE}", key, None)

    def _ask(self, method: str, path: str, key: str, body: bytes | None) -> tuple[int, Any]:
        headers = {"apikey": key, "Content-Type": "application/json"}
        answer = self.client.request(method, path, body=body, headers=headers)
        is_json = answer.headers["content-type"].startswith("application/json")
        return answer.status, answer.json if is_json else None
