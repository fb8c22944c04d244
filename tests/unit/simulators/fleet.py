"""A raw client of the simulated fleet platform, which knows nothing of the product's own."""

import itertools
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import quote, unquote

import aiohttp

GUID = "0A1B2C3D-0001-0002-0003-0123456789AB"
ORIGIN = "https://operation.traffilog.com"
WITHIN_S = 60.0
CLIENT: Mapping[str, Any] = {"client_id": "7", "client_name": "Frota Sul"}
_numbers = itertools.count(1_763_812_345_000_000_001)


class Fleet:
    """`url` is the simulator's."""

    def __init__(self, session: aiohttp.ClientSession, url: str) -> None:
        self.session = session
        self.url = url

    async def login(self, **parameters: Any) -> Mapping[str, Any]:
        """The properties of the answer."""
        given = {"login_name": "ana", "password": "segredo", **parameters}
        body = {"action": {"name": "user_login", "parameters": given}}
        async with self.session.post(f"{self.url}/appengine_3/{GUID}/1/json", data=json.dumps(body)) as answer:
            properties: Mapping[str, Any] = json.loads(await answer.text())["response"]["properties"]
            return properties

    async def token(self) -> str:
        return str((await self.login())["session_token"])

    async def faults(self, **faults: Any) -> tuple[int, Any]:
        async with self.session.post(f"{self.url}/_sim/faults", json=faults) as answer:
            return answer.status, await answer.json()

    async def ask(self, path: str) -> Any:
        async with self.session.get(f"{self.url}/_sim/{path}") as answer:
            return await answer.json()

    async def handshake_status(self, token: str, *, guid: str = GUID, headers: Mapping[str, str] | None = None) -> int:
        """How an attempt to open a socket was refused; 101 when it was not."""
        try:
            async with self.session.ws_connect(
                f"{self.url}/{guid}/{token}/json?defragment=1",
                headers={"Origin": ORIGIN} if headers is None else headers,
            ):
                return 101
        except aiohttp.WSServerHandshakeError as error:
            return error.status

    @asynccontextmanager
    async def socket(self, token: str | None = None, **form: bool) -> "AsyncIterator[Talk]":
        token = token or await self.token()
        address = f"{self.url}/{GUID}/{token}/json?defragment=1"
        async with self.session.ws_connect(address, headers={"Origin": ORIGIN}) as socket:
            yield Talk(socket, token, **form)


class Talk:
    """`is_beside`: the form with mtkn and session_token beside `action`; `is_percent`: encoded as a whole."""

    def __init__(
        self, socket: aiohttp.ClientWebSocketResponse, token: str, *, is_beside: bool = False, is_percent: bool = False
    ) -> None:
        self.socket = socket
        self.token = token
        self._is_beside = is_beside
        self._is_percent = is_percent

    async def send(self, name: str, **parameters: Any) -> str:
        """The request's mtkn."""
        mtkn = str(next(_numbers))
        inner = {"name": name, "parameters": {**parameters, "_action_name": name, "mtkn": mtkn}}
        about = {"session_token": self.token, "mtkn": mtkn}
        frame = {"action": inner, **about} if self._is_beside else {"action": {"flow_id": "612345", **inner, **about}}
        text = json.dumps(frame, separators=(",", ":"))
        await self.socket.send_str(quote(text, safe="") if self._is_percent else text)
        return mtkn

    async def receive(self) -> dict[str, Any]:
        raw = (await self.socket.receive_str(timeout=WITHIN_S)).rstrip("\0")
        frame: dict[str, Any] = json.loads(unquote(raw) if self._is_percent else raw)
        return frame

    async def ask(self, name: str, **parameters: Any) -> dict[str, Any]:
        """The next frame that is no push."""
        await self.send(name, **parameters)
        while is_push(frame := await self.receive()):
            pass
        return frame

    async def pushes(self) -> list[dict[str, Any]]:
        """Items of UNIT_CONFIG_STATUS until one says the end."""
        items: list[dict[str, Any]] = []
        while not items or items[-1]["status"] == "In Progress":
            frame = await self.receive()
            if is_push(frame) and frame["response"]["properties"]["data_source"] == "UNIT_CONFIG_STATUS":
                items += frame["response"]["properties"]["data"]
        return items

    async def review(self, vehicle_id: str = "45", *, setting: str = "3", until: str = "") -> dict[str, Any]:
        """Steps 1 to 5; the answer to the review."""
        source = {"action_source": "0", "action_id": "1"}
        steps: list[tuple[str, dict[str, Any]]] = [
            ("vcls_check_opr", {**CLIENT, "vehicle_id": vehicle_id, "is_checked": "1"}),
            ("associate_vehicles_actions_opr", {**CLIENT, **source, "call_num": "0", "tag": "loading_screen"}),
            ("associate_vehicles_actions_opr", {**CLIENT, **source, "call_num": "1", "vehicle_setting_id": setting}),
            ("review_process_attributes", {"client_id": "7"}),
            ("get_vcls_action_review_opr", {**CLIENT, "action_source": "0"}),
        ]
        answer: dict[str, Any] = {}
        for name, parameters in steps:
            if name == until:
                break
            answer = await self.ask(name, **parameters)
        return answer

    async def execute(self, process_id: Any, vehicle_id: str = "45", **other: Any) -> dict[str, Any]:
        given = {
            **CLIENT,
            "vehicle_id": vehicle_id,
            "process_id": process_id,
            "action_source": "0",
            "tag": "loading_screen",
            "comment": f"teste #rid=r1 #pid={process_id}",
            "toggle_check": "1",
        }
        return await self.ask("execute_action_opr", **given | other)

    async def subscribe(self, vehicle_id: str = "45", kind: str = "UNIT_CONFIG_STATUS") -> dict[str, Any]:
        return await self.ask("vehicle_subscribe", vehicle_id=vehicle_id, object_type=kind)


def is_push(frame: Mapping[str, Any]) -> bool:
    properties = frame.get("response", {}).get("properties", {})
    return properties.get("action_name") in {"refresh", "get_fleet_status"}


def value_of(frame: Mapping[str, Any]) -> str:
    properties = frame.get("response", {}).get("properties", {})
    return str(frame.get("action_value", properties.get("action_value")))


def mtkn_of(frame: Mapping[str, Any]) -> str | None:
    response = frame.get("response", {})
    places = (frame, response, response.get("properties", {}), frame.get("action", {}))
    return next((place["mtkn"] for place in places if "mtkn" in place), None)
