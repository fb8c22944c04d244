"""Files as browsers write them, made by hand, with canaries in the places where secrets stand."""

import base64
import json
from typing import Any

TOKEN = "Canary7-" * 4 + "kT9xQ2mW7v"  # as long as a real one
PASSWORD = "Canary-Passw0rd!"
COOKIE = "c00kie-canary-7f3a9b1c"
GUID = "0A1B2C3D-4E5F-6071-8293-A4B5C6D7E8F9"
URL = f"wss://ops.example.com:8182/{GUID}/{TOKEN}/json?defragment=1"
SECRETS = (TOKEN, PASSWORD, COOKIE)
STARS = "*" * len(TOKEN)


def frame(name: str, parameters: str = "", *, flow: int = 612345, mtkn: str = "1732270000000123456") -> str:
    """A request as the page sends it; `parameters` is JSON text with a comma at its end."""
    return (
        f'{{"action":{{"flow_id":"{flow}","name":"{name}","parameters":{{{parameters}"_action_name":"{name}",'
        f'"mtkn":"{mtkn}"}},"session_token":"{TOKEN}","mtkn":"{mtkn}"}}}}'
    )


def redacted(text: str) -> str:
    return text.replace(TOKEN, STARS).replace("1732270000000123456", "0" * 19)


def message(text: str, *, type: str = "send", time: float = 1732270000.5, opcode: int = 1) -> dict[str, Any]:
    return {"type": type, "time": time, "opcode": opcode, "data": text}


def socket_entry(messages: list[dict[str, Any]] | None, *, url: str = URL, cookie: bool = True) -> dict[str, Any]:
    headers = [{"name": "Origin", "value": "https://operation.example.com"}]
    if cookie:
        headers.append({"name": "Cookie", "value": f"lang=pt-BR; sid={COOKIE}"})
    entry: dict[str, Any] = {
        "_initiator": {"type": "script"},
        "_resourceType": "websocket",
        "request": {"method": "GET", "url": url, "headers": headers, "cookies": [], "queryString": []},
        "response": {"status": 101, "statusText": "Switching Protocols", "headers": [], "cookies": []},
        "startedDateTime": "2024-11-22T10:06:40.000Z",
        "time": 12.5,
        "timings": {},
    }
    if messages is not None:
        entry["_webSocketMessages"] = messages
    return entry


def login_entry() -> dict[str, Any]:
    asked = {"action": {"name": "user_login", "parameters": {"login_name": "ana", "password": PASSWORD}}}
    answered = {"response": {"properties": {"session_token": TOKEN}}}
    return {
        "_resourceType": "xhr",
        "request": {
            "method": "POST",
            "url": f"https://ops.example.com/appengine_3/{GUID}/1/json",
            "headers": [{"name": "Content-Type", "value": "application/json"}],
            "postData": {"mimeType": "application/json", "text": json.dumps(asked)},
        },
        "response": {
            "status": 200,
            "headers": [{"name": "Set-Cookie", "value": f"sid={COOKIE}; Path=/"}],
            "content": {
                "mimeType": "application/json",
                "encoding": "base64",
                "text": base64.b64encode(json.dumps(answered).encode()).decode(),
            },
        },
        "startedDateTime": "2024-11-22T10:06:39.000Z",
    }


def har(*entries: dict[str, Any]) -> bytes:
    creator = {"name": "WebInspector", "version": "537.36"}
    return json.dumps({"log": {"version": "1.2", "creator": creator, "pages": [], "entries": list(entries)}}).encode()


def whole_har() -> bytes:
    """A login, one action twice, its answers, a push."""
    answer = '{"response":{"mtkn":"1732270000000123456","properties":{"action_value":"0","client_id":"77"}}}'
    push = '{"response":{"properties":{"action_name":"refresh","data_source":"UNIT_CONFIG_STATUS","data":[]}}}'
    check = frame("vcls_check_opr", '"client_id":"77","is_checked":"1",')
    again = frame("vcls_check_opr", '"client_id":"78","is_checked":"1",', flow=612346)
    messages = [
        message(check),
        message(answer, type="receive", time=1732270000.75),
        message(again, time=1732270001.0),
        message(push, type="receive", time=1732270001.5),
    ]
    return har(login_entry(), socket_entry(messages))
