"""TLS between a client and Envoy: certificates of a test's own, and a way through for clients that speak plain text. Needs openssl."""

from __future__ import annotations

import select
import socket
import ssl
import subprocess
import threading
from pathlib import Path

from .config import TYPES

SERVER = TYPES + "envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext"


class Authority:
    """A certificate authority that lives as long as its folder."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.certificate = self._issue("authority", None, [])
        self.issue("server", ["DNS:localhost"])

    def _openssl(self, *arguments: str) -> None:
        done = subprocess.run(["openssl", *arguments], cwd=self.folder, capture_output=True, timeout=30)
        assert done.returncode == 0, done.stderr.decode()

    def _issue(self, name: str, signer: str | None, extensions: list[str]) -> Path:
        key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", f"{name}.key"]
        signed = ["-CA", f"{signer}.crt", "-CAkey", f"{signer}.key"] if signer else []
        added = [word for extension in extensions for word in ("-addext", extension)]
        self._openssl("req", "-x509", *key, *signed, "-subj", f"/CN={name}", "-days", "2", *added, "-out", f"{name}.crt")
        return self.folder / f"{name}.crt"

    def issue(self, name: str, names: list[str]) -> Path:
        """A certificate with these alternative names, as in `URI:spiffe://td/sa/x`; its key stands beside it as `.key`."""
        alternative = [f"subjectAltName={','.join(names)}"] if names else []
        return self._issue(name, "authority", ["basicConstraints=critical,CA:FALSE", *alternative])

    def server(self, **fields: object) -> dict:
        """Envoy's end: it takes clients of this authority, and clients without a certificate. `fields` are of the TLS context."""
        pair = {
            "certificate_chain": {"filename": str(self.folder / "server.crt")},
            "private_key": {"filename": str(self.folder / "server.key")},
        }
        context = {
            "tls_certificates": [pair],
            "validation_context": {"trusted_ca": {"filename": str(self.certificate)}},
            "alpn_protocols": ["h2", "http/1.1"],
        }
        return {"@type": SERVER, "common_tls_context": context, **fields}

    def client(self, protocol: str, certificate: Path | None) -> ssl.SSLContext:
        """A client's end."""
        context = ssl.create_default_context(cafile=str(self.certificate))
        context.set_alpn_protocols({"h1": ["http/1.1"], "h2": ["h2"]}[protocol])
        if certificate:
            context.load_cert_chain(certificate, certificate.with_suffix(".key"))
        return context


class Tunnel:
    """A port that leads through TLS to another one, for one connection. One thread does all, for TLS sockets are of one thread."""

    def __init__(self, port: int, context: ssl.SSLContext):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.listener.settimeout(10)
        self.port = self.listener.getsockname()[1]
        self.thread = threading.Thread(target=self._run, args=(port, context), daemon=True)
        self.thread.start()

    def __enter__(self) -> Tunnel:
        return self

    def __exit__(self, *_: object) -> None:
        self.listener.close()
        self.thread.join(10)

    def _run(self, port: int, context: ssl.SSLContext) -> None:
        try:
            plain, _ = self.listener.accept()
            with plain, socket.create_connection(("127.0.0.1", port), timeout=10) as raw:
                with context.wrap_socket(raw, server_hostname="localhost") as secret:
                    self._copy(plain, secret)
        except OSError:
            # Whoever waits at the other end sees it close.
            pass

    def _copy(self, plain: socket.socket, secret: ssl.SSLSocket) -> None:
        while True:
            ready = [secret] if secret.pending() else select.select([plain, secret], [], [], 10)[0]
            if not ready:
                return
            for source, target in ((plain, secret), (secret, plain)):
                if source in ready:
                    data = source.recv(1 << 16)
                    if not data:
                        return
                    target.sendall(data)
