"""Takes the pictures of the README from a demo hub that it starts: docs/images/*.png, in both languages.

.venv/bin/python scripts/screenshots.py            # starts a demo, waits until there is something to see
.venv/bin/python scripts/screenshots.py --settle 20
"""

import argparse
import contextlib
import re
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
IMAGES = ROOT / "docs" / "images"
ATALAIA = Path(sys.executable).with_name("atalaia")
EMAIL = "demo@example.org"
START_TIMEOUT_S = 120
DESKTOP, PHONE, TALL = (1280, 800), (360, 740), (1280, 1300)


@dataclass(frozen=True, slots=True)
class Shot:
    file: str
    locale: str
    path: str
    size: tuple[int, int] = DESKTOP
    scheme: str = "light"
    click: str | None = None  # a link to follow first, by its text
    after_s: float = 0  # so much later than the one before: a chart needs something to show


SHOTS = (
    Shot("overview.png", "en", "/"),
    Shot("painel.png", "pt-BR", "/"),
    Shot("phone.png", "en", "/", size=PHONE),
    Shot("celular.png", "pt-BR", "/", size=PHONE),
    Shot("incidents.png", "en", "/incidents", scheme="dark"),
    Shot("incidentes.png", "pt-BR", "/incidents", scheme="dark"),
    Shot("check.png", "en", "/checks", size=TALL, click="Orders API", after_s=60),
    Shot("verificacao.png", "pt-BR", "/checks", size=TALL, click="Orders API"),
    Shot("job.png", "en", "/jobs?status=failed", size=TALL, click="Assign a setting"),
    Shot("tarefa.png", "pt-BR", "/jobs?status=failed", size=TALL, click="Atribuir uma configuração"),
)


def chromium() -> str | None:
    return shutil.which("chromium-headless-shell") or shutil.which("chromium")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--settle", type=float, default=35, help="seconds until there is something to see")
    parser.add_argument("--to", type=Path, default=IMAGES, help="the folder for the pictures")
    options = parser.parse_args()
    options.to.mkdir(parents=True, exist_ok=True)
    with demo() as (url, password), sync_playwright() as playwright:
        time.sleep(options.settle)
        browser = playwright.chromium.launch(executable_path=chromium(), args=["--no-sandbox"])
        for shot in SHOTS:
            time.sleep(shot.after_s)
            take(browser, shot, url=url, password=password, folder=options.to)
        browser.close()
    return 0


@contextlib.contextmanager
def demo() -> Iterator[tuple[str, str]]:
    """A demo on a free port, ready; its address and password."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    password = secrets.token_urlsafe(15)
    command = [str(ATALAIA), "demo", "--port", str(port), "--password", password]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT)
    try:
        until = time.monotonic() + START_TIMEOUT_S
        for line in process.stdout or ():
            if re.search(r"Ctrl-C", line):
                break
            if time.monotonic() > until:
                raise TimeoutError("the demo did not start")
        yield f"http://127.0.0.1:{port}", password
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(30)


def take(browser: Browser, shot: Shot, *, url: str, password: str, folder: Path) -> None:
    width, height = shot.size
    context = browser.new_context(
        viewport={"width": width, "height": height},
        locale=shot.locale,
        color_scheme="dark" if shot.scheme == "dark" else "light",
        timezone_id="America/Sao_Paulo",
        device_scale_factor=1,
    )
    page = context.new_page()
    sign_in(page, url, password)
    page.goto(url + shot.path)
    if shot.click:
        page.get_by_role("link", name=shot.click).first.click()
    page.wait_for_load_state("load")
    page.wait_for_timeout(1500)  # charts are drawn after the page has loaded
    page.screenshot(path=folder / shot.file)
    sys.stdout.write(f"{folder / shot.file}\n")
    context.close()


def sign_in(page: Page, url: str, password: str) -> None:
    page.goto(url + "/sign-in")
    page.fill("input[name=email]", EMAIL)
    page.fill("input[name=password]", password)
    page.press("input[name=password]", "Enter")
    page.wait_for_url(lambda address: "/sign-in" not in address)


if __name__ == "__main__":
    sys.exit(main())
