"""What of a Markdown text is code, and whether its code fences are closed.

A fence with a language opens a block, one without closes the innermost or opens the first:
models nest blocks in a block of Markdown, which CommonMark would read as closed too early.
"""

from __future__ import annotations

import regex

_FENCE = regex.compile(r" {0,8}(`{3,}|~{3,})[ \t]*+([^`\n]*+)$")
# Possessive and bounded, so that a megabyte of backticks or dollars is one pass.
_INLINE = regex.compile(r"`[^`\n]++`|\$\$[^$]*+\$\$|\$[^$\n]{1,200}+\$")


def prose(text: str) -> tuple[str, int]:
    """The lines outside code fences, and how many fences are left open."""
    if "```" not in text and "~~~" not in text:
        return text, 0
    lines, depth = [], 0
    for line in text.splitlines():
        fence = _FENCE.match(line)
        if fence is None:
            lines += [] if depth else [line]
        elif depth and not fence[2].strip():
            depth -= 1
        else:
            depth += 1
    return "\n".join(lines), depth


def without_inline_code(text: str) -> str:
    """The text without what stands between backticks or dollars: code and formulas."""
    return _INLINE.sub(" ", text)
