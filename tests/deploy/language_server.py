"""yaml-language-server, which most editors check and complete YAML with, spoken to as an editor does (LSP over pipes)."""

from __future__ import annotations

import json
import queue
import subprocess
import threading
from pathlib import Path

PATIENCE = 20
# Nothing is fetched: the schema is the file's own.
SETTINGS = {"yaml": {"validate": True, "completion": True, "hover": True, "schemaStore": {"enable": False}}}


class LanguageServer:
    def __init__(self, node: str, program: Path, folder: Path):
        self.folder = folder
        self.process = subprocess.Popen([node, str(program), "--stdio"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self.received: queue.Queue[dict] = queue.Queue()
        self.asked = 0
        threading.Thread(target=self._read, daemon=True).start()
        capabilities = {"textDocument": {"completion": {}, "hover": {}}, "workspace": {"configuration": True}}
        self.request("initialize", {"processId": None, "rootUri": folder.as_uri(), "capabilities": capabilities})
        self._send({"method": "initialized", "params": {}})

    def complaints(self, name: str, text: str) -> list[tuple[int, str]]:
        """What an editor underlines in a file of this name: line, from 0 on, and why."""
        uri = (self.folder / name).as_uri()
        document = {"uri": uri, "languageId": "yaml", "version": 1, "text": text}
        self._send({"method": "textDocument/didOpen", "params": {"textDocument": document}})
        said = self._wait(lambda message: message.get("method") == "textDocument/publishDiagnostics" and message["params"]["uri"] == uri)
        return sorted((item["range"]["start"]["line"], item["message"]) for item in said["params"]["diagnostics"])

    def completions(self, name: str, line: int, character: int) -> list[str]:
        """What an editor offers there, in a file that was opened before."""
        position = {"line": line, "character": character}
        asked = {"textDocument": {"uri": (self.folder / name).as_uri()}, "position": position}
        return [item["label"] for item in self.request("textDocument/completion", asked)["items"]]

    def request(self, method: str, params: dict) -> dict:
        self.asked += 1
        number = self.asked
        self._send({"id": number, "method": method, "params": params})
        return self._wait(lambda message: message.get("id") == number and "method" not in message)["result"]

    def stop(self) -> None:
        self.process.kill()
        self.process.wait(5)

    def _wait(self, wanted) -> dict:
        while True:
            message = self.received.get(timeout=PATIENCE)
            if wanted(message):
                return message
            if "id" in message and message.get("method") == "workspace/configuration":
                result = [SETTINGS.get(item.get("section"), {}) for item in message["params"]["items"]]
                self._send({"id": message["id"], "result": result})
            elif "id" in message and "method" in message:
                self._send({"id": message["id"], "result": None})

    def _send(self, message: dict) -> None:
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        self.process.stdin.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)
        self.process.stdin.flush()

    def _read(self) -> None:
        pipe = self.process.stdout
        while head := pipe.readline():
            length = 0
            while head.strip():
                name, _, value = head.partition(b":")
                length = int(value) if name.lower() == b"content-length" else length
                head = pipe.readline()
            self.received.put(json.loads(pipe.read(length)))
