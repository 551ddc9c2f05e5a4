"""Colours and widths: how the demo looks. Plain text where the output is no terminal or NO_COLOR is set."""

from __future__ import annotations

import os
import shutil
import sys

COLOURED = sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
WIDTH = min(shutil.get_terminal_size((110, 40)).columns, 140)
STYLES = {"bold": "1", "dim": "2", "red": "31", "green": "32", "yellow": "33", "cyan": "36"}


def style(text: str, *names: str) -> str:
    if not COLOURED or not names:
        return text
    return f"\033[{';'.join(STYLES[name] for name in names)}m{text}\033[0m"


def shorten(text: str, width: int) -> str:
    """One line of at most `width` characters; the middle goes first."""
    line = text.strip().replace("\n", "\\n")
    if len(line) <= width:
        return line
    tail = min(width // 3, 16)
    return f"{line[: width - tail - 1]}…{line[len(line) - tail :]}"


def mark(text: str, parts: list[str], *names: str) -> str:
    """`text` with every occurrence of every part styled."""
    for part in parts:
        text = text.replace(part, style(part, *names))
    return text


def heading(text: str) -> None:
    print(f"\n{style(text, 'bold')}")


def table(rows: list[tuple[str, ...]], indent: int = 4) -> None:
    """Columns as wide as they must be."""
    widths = [max(len(cell) for cell in column) for column in zip(*rows)]
    for row in rows:
        cells = [cell.ljust(width) for cell, width in zip(row, widths)]
        print((" " * indent + "   ".join(cells)).rstrip())
