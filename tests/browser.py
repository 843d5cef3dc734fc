"""A page in headless Chromium, spoken to by its debugging protocol: what it shows, says on its console, and asks for."""

import asyncio
import base64
import shutil
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

import aiohttp

PROGRAM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
PATIENCE = 60.0
"""Seconds that the browser may take to start, and to answer."""


class Page:
    """One tab. ``complaints``: errors and warnings of the console, exceptions, failed requests. ``requests``: addresses asked for."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.socket, self.number = socket, 0
        self.complaints: list[str] = []
        self.requests: list[str] = []
        self.loaded = asyncio.Event()

    async def send(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Call a method of the protocol and wait for its answer."""
        self.number += 1
        await self.socket.send_json({"id": self.number, "method": method, "params": parameters})
        while True:
            message = await self.socket.receive_json(timeout=PATIENCE)
            if message.get("id") == self.number:
                assert "error" not in message, message
                return message["result"]
            self.note(message)

    def note(self, message: dict[str, Any]) -> None:
        """Take down what the browser tells unasked."""
        told = message.get("params", {})
        match message.get("method"):
            case "Network.requestWillBeSent":
                self.requests.append(told["request"]["url"])
            case "Network.loadingFailed":
                self.complaints.append(f"failed request: {told['errorText']}")
            case "Log.entryAdded" if told["entry"]["level"] in ("error", "warning"):
                self.complaints.append(told["entry"]["text"])
            case "Runtime.consoleAPICalled" if told["type"] in ("error", "warning", "assert"):
                self.complaints.append(str(told["args"]))
            case "Runtime.exceptionThrown":
                self.complaints.append(str(told["exceptionDetails"]))
            case "Page.loadEventFired":
                self.loaded.set()

    async def open(self, path: Path, width: int, height: int = 900) -> None:
        """Show a file in a window of this size, and wait until it is loaded."""
        for domain in ("Network", "Log", "Runtime", "Page"):
            await self.send(f"{domain}.enable")
        await self.send("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 600)
        self.loaded.clear()
        await self.send("Page.navigate", url=path.as_uri())
        deadline = time.monotonic() + PATIENCE
        while not self.loaded.is_set():
            assert time.monotonic() < deadline, f"{path} is not loaded"
            await self.send("Runtime.evaluate", expression="0")

    async def value(self, expression: str) -> Any:
        """What JavaScript gives."""
        found = await self.send("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in found, found
        return found["result"].get("value")

    async def screenshot(self, path: Path) -> None:
        """Write what the window shows as PNG."""
        path.write_bytes(base64.b64decode((await self.send("Page.captureScreenshot"))["data"]))


def with_page(visit: Any) -> Any:
    """What ``visit(page)``, a coroutine, returns for a page in a fresh browser, which ends with it."""
    assert PROGRAM

    async def run() -> Any:
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
            options = ["--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={folder}", "--remote-debugging-port=0"]
            browser = subprocess.Popen([PROGRAM, *options, "about:blank"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            try:
                port_file, deadline = Path(folder) / "DevToolsActivePort", time.monotonic() + PATIENCE
                while not (port_file.is_file() and port_file.read_text().count("\n")):
                    assert time.monotonic() < deadline and browser.poll() is None, "the browser does not start"
                    await asyncio.sleep(0.1)
                port = port_file.read_text().split()[0]
                async with aiohttp.ClientSession() as session:
                    async with session.get(f"http://127.0.0.1:{port}/json/list") as answer:
                        tab = next(t for t in await answer.json() if t["type"] == "page")
                    async with session.ws_connect(tab["webSocketDebuggerUrl"], max_msg_size=0) as socket:
                        return await visit(Page(socket))
            finally:
                browser.kill()
                browser.wait()

    return asyncio.run(run())
