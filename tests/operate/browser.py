"""A real, headless Chromium, driven through chromedriver (W3C WebDriver over HTTP; standard library only)."""

from __future__ import annotations

import base64
import json
import subprocess
import time
import urllib.request
from pathlib import Path

from prometheus import free_port

START_PATIENCE = 20.0
ANSWER_PATIENCE = 30.0


class Browser:
    """One window. `console` has every error that a page logged, or that loading it met."""

    def __init__(self, driver: str, chromium: str, folder: Path):
        self.url = f"http://127.0.0.1:{free_port()}"
        with open(folder / "chromedriver.log", "wb") as log:
            command = [driver, f"--port={self.url.rpartition(':')[2]}"]
            self.process = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)
        self.session = ""
        # Root may not use the sandbox, and a container's /dev/shm is small.
        switches = [
            "--headless=new",
            "--no-sandbox",
            "--disable-dev-shm-usage",
            "--disable-gpu",
            "--hide-scrollbars",
            f"--user-data-dir={folder}/profile",
        ]
        options = {"binary": chromium, "args": switches}
        wanted = {"browserName": "chrome", "goog:chromeOptions": options, "goog:loggingPrefs": {"browser": "ALL"}}
        deadline = time.monotonic() + START_PATIENCE
        while True:
            try:
                self.session = f"/session/{self._ask('POST', '/session', {'capabilities': {'alwaysMatch': wanted}})['sessionId']}"
                return
            except OSError:
                if time.monotonic() > deadline:
                    self.close()
                    raise
                time.sleep(0.1)

    def _ask(self, method: str, path: str, body: dict | None = None):
        data = json.dumps(body or {}).encode() if method == "POST" else None
        request = urllib.request.Request(self.url + path, data, {"content-type": "application/json"}, method=method)
        with urllib.request.urlopen(request, timeout=ANSWER_PATIENCE) as answer:
            return json.load(answer)["value"]

    def look(self, width: int, height: int, dark: bool = False) -> None:
        """The size of the window, and what the page is told about the user's preference."""
        self._size(width, height)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self._devtools("Emulation.setEmulatedMedia", {"features": [scheme]})

    def _size(self, width: int, height: int) -> None:
        metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        self._devtools("Emulation.setDeviceMetricsOverride", metrics)

    def _devtools(self, command: str, parameters: dict):
        return self._ask("POST", f"{self.session}/goog/cdp/execute", {"cmd": command, "params": parameters})

    def open(self, url: str) -> None:
        self._ask("POST", f"{self.session}/url", {"url": url})

    def run(self, script: str):
        """What a function body in JavaScript returns."""
        return self._ask("POST", f"{self.session}/execute/sync", {"script": script, "args": []})

    def console(self) -> list[str]:
        """Errors and warnings since the last call."""
        entries = self._ask("POST", f"{self.session}/se/log", {"type": "browser"})
        return [entry["message"] for entry in entries if entry["level"] in ("SEVERE", "WARNING")]

    def picture(self, path: Path) -> None:
        """The whole page, from its top to its end, as PNG."""
        width, height = self.run("return [innerWidth, document.documentElement.scrollHeight]")
        self._size(width, height)
        # Charts draw themselves anew when their size changes, in the frame after.
        self._ask(
            "POST",
            f"{self.session}/execute/async",
            {"script": "requestAnimationFrame(() => requestAnimationFrame(arguments[0]))", "args": []},
        )
        path.write_bytes(base64.b64decode(self._devtools("Page.captureScreenshot", {})["data"]))

    def close(self) -> None:
        try:
            if self.session:
                self._ask("DELETE", self.session)
        except OSError:
            pass
        self.process.terminate()
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(5)
