"""A raw client of the simulated exchange, which knows nothing of the product's own."""

import hashlib
import hmac
import http.client
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit

WITHIN_S = 60.0


@dataclass(frozen=True)
class Answer:
    status: int
    body: Any
    headers: Mapping[str, str]

    @property
    def code(self) -> int | None:
        """The exchange's own; None where it is no refusal, or has none."""
        found: int | None = self.body.get("code") if isinstance(self.body, dict) else None
        return found


@dataclass
class Trader:
    """`url` is the simulator's. `skew_ms` is how far the trader's clock is ahead."""

    url: str
    key: str | None = "simulated-key"
    secret: str = "simulated-secret"
    skew_ms: int = 0

    def get(self, path: str, **params: Any) -> Answer:
        return self.send("GET", f"{path}?{self.signed(params)}")

    def post(self, path: str, **params: Any) -> Answer:
        return self.send("POST", path, self.signed(params))

    def delete(self, path: str, **params: Any) -> Answer:
        return self.send("DELETE", f"{path}?{self.signed(params)}")

    def ask(self, path: str) -> Answer:
        """Without a signature."""
        return self.send("GET", path)

    def order(self, side: str, position_side: str, quantity: str, **more: Any) -> Answer:
        """A market order of BTCUSDT where nothing else is said."""
        wanted = {"symbol": "BTCUSDT", "type": "MARKET", "newOrderRespType": "RESULT", **more}
        return self.post("/fapi/v1/order", side=side, positionSide=position_side, quantity=quantity, **wanted)

    def close_long(self, quantity: str = "0.5", **more: Any) -> Answer:
        return self.order("SELL", "LONG", quantity, **more)

    def control(self, name: str, value: Any) -> Answer:
        return self.send("POST", f"/_sim/{name}", json.dumps(value))

    def hold(self, position_side: str = "LONG", quantity: str = "0.5", entry: str = "59000", **more: Any) -> None:
        wanted = {"symbol": "BTCUSDT", "position_side": position_side, "quantity": quantity, "entry_price": entry}
        assert self.control("positions", {**wanted, **more}).status == 200

    def held(self) -> dict[str, str]:
        """Leg to amount."""
        rows = self.get("/fapi/v3/positionRisk").body
        return {row["positionSide"]: row["positionAmt"] for row in rows}

    def book(self) -> dict[str, list[dict[str, Any]]]:
        found: dict[str, list[dict[str, Any]]] = self.ask("/_sim/book").body
        return found

    def now_ms(self) -> int:
        return int(time.time() * 1000) + self.skew_ms

    def signed(self, params: Mapping[str, Any]) -> str:
        text = urlencode({"timestamp": self.now_ms(), **params})
        return f"{text}&signature={sign(self.secret, text)}"

    def send(self, method: str, path: str, body: str | None = None) -> Answer:
        connection = http.client.HTTPConnection(urlsplit(self.url).netloc, timeout=WITHIN_S)
        headers = {"Content-Type": "application/x-www-form-urlencoded"} if body else {}
        if self.key is not None:
            headers["X-MBX-APIKEY"] = self.key
        try:
            connection.request(method, path, body=body, headers=headers)
            answer = connection.getresponse()
            return Answer(answer.status, json.loads(answer.read()), dict(answer.getheaders()))
        finally:
            connection.close()


def sign(secret: str, text: str) -> str:
    return hmac.new(secret.encode(), text.encode(), hashlib.sha256).hexdigest()
