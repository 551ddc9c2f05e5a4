"""A soak: hundreds of streams at once through one worker of a real Envoy, for minutes. `make soak`, or `make soak SECONDS=30`.

Clean, dirty, encoded and blocked bodies, up and down, some given up half way by the client or the upstream, in both worlds: headers
released and headers held, each in an Envoy and a process of its own. At the end: no byte of a clean body is lost or changed, every
finding is masked, no stream is stuck, no memory grows after the warm-up, the counters add up.

WebAssembly memory never shrinks, so it shows the worst moment so far. The mix is random, and a worse moment may come late; so the
first waves are heavier than the mix ever is by chance. What grows after them is a leak; one that is smaller than that head start
does not show.
"""

from __future__ import annotations

import argparse
import asyncio
import collections
import hashlib
import random
import subprocess
import sys
import tempfile
import time
import zlib
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import policies  # noqa: E402
import values  # noqa: E402
from harness import envoy as harness_envoy  # noqa: E402
from harness.config import Setup  # noqa: E402

# Longest that one exchange may take, in seconds; half of what the slowest needs on a busy machine would be enough.
STUCK = 60.0
WORLDS = ["released", "held"]
WARM_UP = 20.0
STREAMED = {"response_body_mode": "streamed", "request_body_mode": "streamed"}
WORDS = ["lorem ipsum", "4111 1111", "ada@", "1732226400000", "eyJ", "-----", "naïve café", "a b c d", "%40", "{}"]
KINDS = ["clean", "dirty", "events", "gzip", "blocked", "upload", "client leaves", "upstream leaves"]
WEIGHTS = [4, 3, 3, 2, 1, 2, 1, 1]
# Of the first waves: twice as many of those that take the most memory, more than chance will ever bring together.
FIRST_WAVES = 600
HEAVY_WEIGHTS = [2, 3, 2, 4, 1, 2, 1, 1]


class Plan:
    """What one exchange sends, known to both ends by its number."""

    def __init__(self, number: int):
        chance = random.Random(number)
        self.kind = chance.choices(KINDS, HEAVY_WEIGHTS if number <= FIRST_WAVES else WEIGHTS)[0]
        lines = [" ".join(chance.choices(WORDS, k=chance.randrange(2, 9))) for _ in range(chance.randrange(20, 300))]
        self.mails = 0 if self.kind in ("clean", "blocked") else chance.randrange(1, 6)
        for _ in range(self.mails):
            lines[chance.randrange(len(lines))] = f"write to {values.EMAIL.value} now"
        lines = list(dict.fromkeys(f"{at}: {line}" for at, line in enumerate(lines)))
        self.mails = sum(values.EMAIL.value in line for line in lines)
        if self.kind == "blocked":
            lines[-1] = f"key {values.AWS.value}"
        end = "\n\n" if self.kind == "events" else "\n"
        self.plain = "".join(("data: " if self.kind == "events" else "") + line + end for line in lines).encode()
        self.expected = self.plain.replace(values.EMAIL.raw, values.EMAIL.masked.encode())
        packer = zlib.compressobj(1, zlib.DEFLATED, 31)
        self.sent = packer.compress(self.plain) + packer.flush() if self.kind == "gzip" else self.plain
        self.pieces = []
        at = 0
        while at < len(self.sent):
            length = chance.randrange(1, 4000)
            self.pieces.append(self.sent[at : at + length])
            at += length
        self.pause = chance.choice([0, 0.001, 0.01, 0.03])
        self.leaves_at = chance.randrange(1, len(self.pieces)) if len(self.pieces) > 1 else 1
        self.content_type = {"events": "text/event-stream"}.get(self.kind, chance.choice(["text/plain", "application/json"]))


async def read_head(reader: asyncio.StreamReader) -> tuple[str, dict[str, str]]:
    lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    return lines[0], {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:] if line)}


async def read_body(reader: asyncio.StreamReader, headers: dict[str, str], take) -> None:
    """Gives every part of a body to `take`; raises where it does not come to its end."""
    if headers.get("transfer-encoding") == "chunked":
        while size := int((await reader.readline()).split(b";")[0] or b"x", 16):
            take(await reader.readexactly(size))
            await reader.readexactly(2)
        await reader.readline()
    elif length := int(headers.get("content-length", 0)):
        take(await reader.readexactly(length))


async def send_chunks(writer: asyncio.StreamWriter, plan: Plan, pieces: list[bytes], whole: bool) -> None:
    for piece in pieces:
        writer.write(b"%x\r\n%s\r\n" % (len(piece), piece))
        await writer.drain()
        await asyncio.sleep(plan.pause)
    if whole:
        writer.write(b"0\r\n\r\n")
        await writer.drain()


async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """The upstream: answers with the body of the exchange's number; an upload with the digest of what arrived."""
    try:
        while True:
            line, headers = await read_head(reader)
            plan = Plan(int(line.split()[1].rpartition("/")[2]))
            digest = hashlib.sha256()
            await read_body(reader, headers, digest.update)
            if plan.kind == "upload":
                answer = digest.hexdigest().encode()
                writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: %d\r\n\r\n%s" % (len(answer), answer))
                await writer.drain()
                continue
            coding = b"content-encoding: gzip\r\n" if plan.kind == "gzip" else b""
            head = b"HTTP/1.1 200 OK\r\ncontent-type: %s\r\n%stransfer-encoding: chunked\r\n\r\n"
            writer.write(head % (plan.content_type.encode(), coding))
            leaves = plan.kind == "upstream leaves"
            await send_chunks(writer, plan, plan.pieces[: plan.leaves_at] if leaves else plan.pieces, whole=not leaves)
            if leaves:
                return
    except (OSError, asyncio.IncompleteReadError):
        pass
    finally:
        writer.close()


class Soak:
    """The clients, and what they have seen."""

    def __init__(self, port: int, seconds: float):
        self.port, self.ends_at = port, time.monotonic() + seconds
        self.next = 0
        self.seen: collections.Counter[str] = collections.Counter()
        self.wrong: list[str] = []
        self.mails = 0
        self.mails_given_up = 0

    async def client(self) -> None:
        while time.monotonic() < self.ends_at and not self.wrong:
            self.next += 1
            number = self.next
            plan = Plan(number)
            try:
                await asyncio.wait_for(self.exchange(number, plan), STUCK)
            except asyncio.TimeoutError:
                self.wrong.append(f"exchange {number} ({plan.kind}) is stuck")
            except (OSError, asyncio.IncompleteReadError, ValueError) as error:
                self.wrong.append(f"exchange {number} ({plan.kind}) ended with {error!r}")

    async def exchange(self, number: int, plan: Plan) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        body = bytearray()
        try:
            upload = plan.kind == "upload"
            writer.write(b"%s /%d HTTP/1.1\r\nhost: a.example.com\r\n" % (b"POST" if upload else b"GET", number))
            writer.write(b"content-type: text/plain\r\ntransfer-encoding: chunked\r\n\r\n" if upload else b"\r\n")
            if upload:
                await send_chunks(writer, plan, plan.pieces, whole=True)
            line, headers = await read_head(reader)
            if line.split()[1] != "200":
                if plan.kind != "blocked":
                    self.wrong.append(f"exchange {number} ({plan.kind}): {line}")
            elif plan.kind == "client leaves":
                body += await reader.read(1)
                self.mails_given_up += plan.mails
                writer.transport.abort()
            else:
                await self.finish(number, plan, reader, headers, body)
            self.seen[plan.kind] += 1
        finally:
            writer.close()

    async def finish(self, number: int, plan: Plan, reader: asyncio.StreamReader, headers: dict[str, str], body: bytearray) -> None:
        whole = True
        try:
            await read_body(reader, headers, body.extend)
        except (OSError, asyncio.IncompleteReadError, ValueError):
            whole = False
        if plan.kind in ("blocked", "upstream leaves"):
            self.mails_given_up += plan.mails
            if whole or not plan.expected.startswith(bytes(body)):
                self.wrong.append(f"exchange {number} ({plan.kind}): {'whole' if whole else 'other bytes'}")
            if values.AWS.raw[:12] in body:
                self.wrong.append(f"exchange {number}: a part of a blocked value came through")
            return
        self.mails += plan.mails
        digest = hashlib.sha256(plan.expected)
        expected = digest.hexdigest().encode() if plan.kind == "upload" else plan.expected
        if not whole or bytes(body) != expected:
            self.wrong.append(f"exchange {number} ({plan.kind}): {len(body)} bytes, not the {len(expected)} expected, whole: {whole}")


async def watch(envoy, seconds: float, samples: list[tuple[float, float]]) -> None:
    began = time.monotonic()
    while (at := time.monotonic() - began) < seconds:
        memory = await asyncio.to_thread(envoy.metric, "bodyguard_vm_memory_bytes")
        samples.append((at, memory))
        await asyncio.sleep(1)


async def run(args: argparse.Namespace, folder: Path) -> list[str]:
    server = await asyncio.start_server(serve, "127.0.0.1", 0, backlog=1024)
    port = server.sockets[0].getsockname()[1]

    class Upstream:
        ports = {"h1": port, "h2": port}

        def close(self) -> None:
            pass

    harness_envoy.Upstream = Upstream
    hold = args.world == "held"
    document = policies.policy(hold, {"/": STREAMED})
    setup = Setup(document, hold=hold, concurrency=1)
    envoy = await asyncio.to_thread(harness_envoy.Envoy, args.envoy, args.module.resolve(), setup, folder / "envoy", "warning")
    try:
        soak = Soak(envoy.ports["guarded-h1"], args.seconds)
        samples: list[tuple[float, float]] = []
        watching = asyncio.create_task(watch(envoy, args.seconds, samples))
        await asyncio.gather(*(soak.client() for _ in range(args.streams)))
        await watching
        await asyncio.sleep(0.5)
        wrong = soak.wrong[:20] + await asyncio.to_thread(add_up, args.world, envoy, soak, samples, args.seconds)
    finally:
        wrong_end = await asyncio.to_thread(envoy.end)
        server.close()
    return wrong + wrong_end


def add_up(world: str, envoy, soak: Soak, samples: list[tuple[float, float]], seconds: float) -> list[str]:
    wrong = []
    warm_up = min(WARM_UP, seconds / 3)
    before = max((memory for at, memory in samples if at <= warm_up), default=0)
    after = max((memory for at, memory in samples if at > warm_up), default=0)
    if after > before:
        wrong.append(f"the VM grew after {warm_up:.0f} s: from {before:.0f} to {after:.0f} bytes")
    exchanges = sum(soak.seen.values())
    responses = envoy.metric("bodyguard_messages_total", direction="response")
    if responses != exchanges:
        wrong.append(f"{exchanges} exchanges, and {responses:.0f} responses counted")
    uploads = envoy.metric("bodyguard_messages_total", direction="request")
    if uploads != soak.seen["upload"]:
        wrong.append(f"{soak.seen['upload']} uploads, and {uploads:.0f} requests counted")
    blocked = envoy.metric("bodyguard_messages_total", verdict="blocked")
    if blocked != soak.seen["blocked"]:
        wrong.append(f"{soak.seen['blocked']} bodies to block, and {blocked:.0f} counted")
    masked = envoy.metric("bodyguard_findings_total", kind="email", action="redact")
    if not soak.mails <= masked <= soak.mails + soak.mails_given_up:
        wrong.append(f"{soak.mails} addresses masked, {soak.mails_given_up} more in bodies given up, and {masked:.0f} counted")
    if inflight := envoy.metric("bodyguard_inflight_body_bytes"):
        wrong.append(f"{inflight:.0f} bytes in flight at the end")
    if errors := envoy.metric("bodyguard_errors_total"):
        wrong.append(f"{errors:.0f} errors counted")
    if active := envoy.stat("guarded-h1.downstream_rq_active"):
        wrong.append(f"{active} requests still active")
    read = envoy.metric("bodyguard_inspected_bytes_total")
    last = max((at for (_, before), (at, memory) in zip(samples, samples[1:]) if memory > before), default=0.0)
    print(
        f"{world}: {exchanges} exchanges, {read / 1e6:.0f} MB read, {masked:.0f} addresses masked, {blocked:.0f} blocked, "
        f"VM {after / 1e6:.2f} MB, grew last at {last:.0f} s"
    )
    return wrong


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--envoy", type=Path, required=True)
    parser.add_argument("--module", type=Path, required=True)
    parser.add_argument("--seconds", type=float, default=120)
    parser.add_argument("--world", choices=WORLDS, help="headers released or held; both at once where it is left out")
    parser.add_argument("--streams", type=int, default=200)
    args = parser.parse_args()
    if not args.world:
        return both_worlds()
    with tempfile.TemporaryDirectory() as folder:
        wrong = asyncio.run(run(args, Path(folder)))
    for line in wrong:
        print(f"wrong: {args.world}: {line}", file=sys.stderr)
    return 1 if wrong else 0


def both_worlds() -> int:
    """Runs this script once for each world, at the same time."""
    runs = [subprocess.Popen([sys.executable, "-B", *sys.argv, "--world", world]) for world in WORLDS]
    return max([run.wait() for run in runs])


if __name__ == "__main__":
    sys.exit(main())
