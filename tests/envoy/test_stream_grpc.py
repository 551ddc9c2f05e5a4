"""gRPC as its own library speaks it: every message decodes, e-mails in it are masked, and a conversation never waits for us."""

from __future__ import annotations

import importlib
import queue
import sys
from concurrent import futures
from pathlib import Path

import grpc
import policies
import pytest
import values
from grpc_tools import protoc
from harness.config import Setup

PATIENCE = 10
MAIL = values.EMAIL.value
MASKED = "****.***@*******.***"


@pytest.fixture(scope="session")
def chat(tmp_path_factory: pytest.TempPathFactory):
    """The modules that protoc makes of chat.proto."""
    folder = tmp_path_factory.mktemp("chat")
    source = Path(__file__).parent
    assert protoc.main(["protoc", f"-I{source}", f"--python_out={folder}", f"--grpc_python_out={folder}", str(source / "chat.proto")]) == 0
    sys.path.insert(0, str(folder))
    yield importlib.import_module("chat_pb2"), importlib.import_module("chat_pb2_grpc")
    sys.path.remove(str(folder))


class Server:
    """Answers with what it was asked, and an e-mail of its own; remembers what it was asked."""

    def __init__(self, chat):
        self.messages, stubs = chat
        self.asked: list = []
        outer = self

        class Servicer(stubs.ChatServicer):
            def Get(self, note, context):
                outer.asked.append(note)
                if note.id == 99:
                    return outer.note(99, values.AWS.value)
                return outer.note(note.id, f"write to {MAIL} please")

            def List(self, note, context):
                for number in range(note.id):
                    yield outer.note(number, f"{number}: {MAIL}")
                    if number == 50:
                        yield outer.note(number, values.AWS.value)

            def Talk(self, notes, context):
                for note in notes:
                    outer.asked.append(note)
                    yield outer.note(note.id, note.text)

        self.server = grpc.server(futures.ThreadPoolExecutor(8), compression=grpc.Compression.NoCompression)
        stubs.add_ChatServicer_to_server(Servicer(), self.server)
        self.port = self.server.add_insecure_port("127.0.0.1:0")
        self.server.start()

    def note(self, number: int, text: str):
        person = self.messages.Person(name="Ada", mail=MAIL, number=4111111111111111)
        return self.messages.Note(id=number, text=text, people=[person, person], blob=b"\x00\xff@", labels={"mail": MAIL})


# An Envoy keeps its connections to the server from test to test, so the server stays as well.
SERVERS: dict = {}


@pytest.fixture
def call(run, world, chat):
    """A stub whose calls go through Envoy, the server behind it, and the Envoy."""
    envoy = run(Setup(policies.policy(world == "held", {"/bodyguard.test.Chat": {}}), hold=world == "held"))
    if envoy not in SERVERS:
        SERVERS[envoy] = Server(chat)
    server = SERVERS[envoy]
    server.asked.clear()
    envoy.upstream.relay_to(server.port)
    with grpc.insecure_channel(f"127.0.0.1:{envoy.ports['guarded-h2']}") as channel:
        yield chat[1].ChatStub(channel), server, envoy


def check(note, number: int, text: str) -> None:
    """Masked, and as a whole still what the server meant."""
    assert (note.id, note.text) == (number, text)
    assert [(person.name, person.mail, person.number) for person in note.people] == [("Ada", MASKED, 4111111111111111)] * 2
    assert note.blob == b"\x00\xff@"
    assert dict(note.labels) == {"mail": MASKED}


def test_unary_calls_decode_and_are_masked_both_ways(call, chat):
    stub, server, envoy = call
    before = envoy.metric("bodyguard_findings_total", kind="email", action="redact")
    for number in range(3):
        check(stub.Get(chat[0].Note(id=number, text=f"from {MAIL}"), timeout=PATIENCE), number, f"write to {MASKED} please")
        assert server.asked[-1].text == f"from {MASKED}"
    # One in each request; of each response the text, two people and the label.
    assert envoy.metric("bodyguard_findings_total", kind="email", action="redact") == before + 3 * 5


def test_a_stream_of_messages_decodes_and_is_masked(call, chat):
    stub, _, _ = call
    notes = list(stub.List(chat[0].Note(id=40), timeout=PATIENCE))
    assert len(notes) == 40
    for number, note in enumerate(notes):
        check(note, number, f"{number}: {MASKED}")


def test_a_conversation_goes_back_and_forth(call, chat):
    stub, server, _ = call
    asks: queue.Queue = queue.Queue()
    answers = stub.Talk(iter(asks.get, None), timeout=PATIENCE)
    for number in range(20):
        # Nothing is asked before the answer to what was asked before is there.
        asks.put(chat[0].Note(id=number, text=f"{number} {MAIL}"))
        check(next(answers), number, f"{number} {MASKED}")
    asks.put(None)
    assert list(answers) == []
    assert [note.text for note in server.asked] == [f"{number} {MASKED}" for number in range(20)]


def test_a_block_is_permission_denied(call, chat):
    stub, server, _ = call
    with pytest.raises(grpc.RpcError) as refused:
        stub.Get(chat[0].Note(text=values.AWS.value), timeout=PATIENCE)
    assert refused.value.code() == grpc.StatusCode.PERMISSION_DENIED
    assert refused.value.details() == "blocked: body.dlp_block:aws_access_key"
    assert server.asked == []


def test_a_blocked_response_never_gets_through(call, chat, world):
    stub, _, _ = call
    with pytest.raises(grpc.RpcError) as refused:
        stub.Get(chat[0].Note(id=99), timeout=PATIENCE)
    if world == "held":
        assert refused.value.code() == grpc.StatusCode.PERMISSION_DENIED
    notes = []
    with pytest.raises(grpc.RpcError):
        for note in stub.List(chat[0].Note(id=60), timeout=PATIENCE):
            notes.append(note)
    # What is cut is cut before the message; those before it may be lost in the reset.
    assert len(notes) <= 51
    for number, note in enumerate(notes):
        check(note, number, f"{number}: {MASKED}")


def test_a_compressed_message_passes_and_is_counted(call, chat):
    stub, server, envoy = call
    before = envoy.metric("bodyguard_uninspected_total", reason="content_encoding", direction="request")
    text = f"from {MAIL} " * 20
    stub.Get(chat[0].Note(id=1, text=text), timeout=PATIENCE, compression=grpc.Compression.Gzip)
    assert server.asked[-1].text == text
    assert envoy.metric("bodyguard_uninspected_total", reason="content_encoding", direction="request") == before + 1


def test_calls_leave_nothing_behind(call, chat):
    stub, _, envoy = call
    with futures.ThreadPoolExecutor(8) as pool:
        notes = list(pool.map(lambda number: stub.Get(chat[0].Note(id=number), timeout=PATIENCE), range(64)))
    assert [note.id for note in notes] == list(range(64))
    assert envoy.metric("bodyguard_inflight_body_bytes") == 0
