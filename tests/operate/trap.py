"""A WebAssembly module that traps, written out by hand: what Envoy's statistics look like when a plugin dies in its VM.

bodyguard itself is built never to trap, so this stands in its place, under its name.
"""

from __future__ import annotations

I32, FUNCTION, MEMORY = 0x7F, 0x00, 0x02
# Exported function -> its number of i32 parameters, whether it returns an i32, and its code.
RETURN_0 = bytes([0x41, 0x00])
RETURN_1 = bytes([0x41, 0x01])
# Memory that the host asks for is all at one place, behind the first kilobyte: nothing here ever reads it.
RETURN_1024 = bytes([0x41, 0x80, 0x08])
UNREACHABLE = bytes([0x00])
FUNCTIONS: dict[str, tuple[int, bool, bytes]] = {
    "proxy_abi_version_0_2_1": (0, False, b""),
    "_initialize": (0, False, b""),
    "proxy_on_memory_allocate": (1, True, RETURN_1024),
    "proxy_on_context_create": (2, False, b""),
    "proxy_on_vm_start": (2, True, RETURN_1),
    "proxy_on_configure": (2, True, RETURN_1),
    "proxy_on_request_headers": (3, True, UNREACHABLE),
    "proxy_on_done": (1, True, RETURN_1),
    "proxy_on_log": (1, False, b""),
    "proxy_on_delete": (1, False, b""),
}


def _number(value: int) -> bytes:
    """Unsigned LEB128."""
    out = b""
    while value > 0x7F:
        out, value = out + bytes([value & 0x7F | 0x80]), value >> 7
    return out + bytes([value])


def _vector(items: list[bytes]) -> bytes:
    return _number(len(items)) + b"".join(items)


def _bytes(data: bytes) -> bytes:
    return _number(len(data)) + data


def _section(number: int, content: bytes) -> bytes:
    return bytes([number]) + _bytes(content)


def module() -> bytes:
    """The module: it loads and configures well, and traps at the headers of every request."""
    types, codes, exports = [], [], []
    for index, (name, (parameters, returns, code)) in enumerate(FUNCTIONS.items()):
        results = [bytes([I32])] if returns else []
        types.append(b"\x60" + _vector([bytes([I32])] * parameters) + _vector(results))
        codes.append(_bytes(_vector([]) + code + b"\x0b"))
        exports.append(_bytes(name.encode()) + bytes([FUNCTION]) + _number(index))
    exports.append(_bytes(b"memory") + bytes([MEMORY]) + _number(0))
    sections = [
        (1, _vector(types)),
        (3, _vector([_number(index) for index in range(len(types))])),
        (5, _vector([b"\x00" + _number(1)])),
        (7, _vector(exports)),
        (10, _vector(codes)),
    ]
    return b"\0asm" + (1).to_bytes(4, "little") + b"".join(_section(*section) for section in sections)
