"""The code of a Markdown text: what stands in its fenced blocks, by language.

A fence is closed by one of the same character that is at least as long and says nothing, as in
CommonMark. A block that is never closed ends with the text: a reply cut short has its code, too.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

PYTHON = frozenset({"python", "py", "python3", "py3"})
"""What replies call Python."""


@dataclass(frozen=True, slots=True)
class Block:
    """One fenced block."""

    language: str
    """First word after the fence, in lower case; empty where there is none."""
    code: str
    """Without the fences, without the fence's indentation; ends with a line break."""


def code_blocks(text: str, languages: Collection[str] = ()) -> list[Block]:
    """The fenced blocks in their order; only of these languages where some are named.

    Blocks without a language count where no block has one of the languages.
    """
    blocks = _blocks(text)
    if not languages:
        return blocks
    named = [block for block in blocks if block.language in languages]
    return named or [block for block in blocks if not block.language]


def _blocks(text: str) -> list[Block]:
    found: list[Block] = []
    fence, indent, language = "", 0, ""
    lines: list[str] = []
    for line in text.split("\n"):
        plain = line.strip(" \t\r")
        run = _run(plain)
        if not fence and run and "`" not in plain[len(run) :]:
            fence, indent = run, len(line) - len(line.lstrip(" "))
            language = (plain[len(run) :].strip(" {.}").split() or [""])[0].casefold()
            lines = []
        elif fence and plain == run and run.startswith(fence):
            found.append(Block(language, _joined(lines)))
            fence = ""
        elif fence:
            lines.append(line[min(indent, len(line) - len(line.lstrip(" "))) :])
    if fence:
        found.append(Block(language, _joined(lines)))
    return found


def _run(plain: str) -> str:
    """The fence that a line begins with; empty where it begins with none."""
    for mark in "`~":
        run = len(plain) - len(plain.lstrip(mark))
        if run >= 3:
            return plain[:run]
    return ""


def _joined(lines: list[str]) -> str:
    return "".join(f"{line.rstrip(chr(13))}\n" for line in lines)
