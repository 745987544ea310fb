"""A reply that answers with code and then tests it, taken apart; or why it cannot be used.

The answer comes first, then a line ``<tests>``, then the tests. Each side has a fenced block of
Python; the tests make an assertion that surely runs; nothing is left for the reader to write.

Source: Wei et al., "SelfCodeAlign: Self-Alignment for Code Generation", 2024, arXiv:2410.24198
(the released sanitizer's rules).
Differs: unfinished work is looked for in the code alone, since "todo" is Spanish prose, and in
many languages; an open fence and an answer that defines nothing are told as well.
"""

from __future__ import annotations

from typing import NamedTuple

import regex

from engine.text.code_blocks import PYTHON, code_blocks
from engine.text.markup import prose
from engine.text.python_code import asserts_outside, parsed, representation, unfinished

_MARK = regex.compile(r"^[ \t]*[*`#]*[ \t]*<tests>[ \t]*[*`]*[ \t\r]*$", regex.M | regex.I)
_CLOSED = regex.compile(r"[*`# \t]*</tests>[*` \t]*", regex.I)


class Tested(NamedTuple):
    """An answer, the program in it and the tests of that program."""

    response: str
    code: str
    tests: str
    fault: str = ""
    """Why it cannot be used, as a slug; the rest may then be empty."""
    detail: str = ""


def taken_apart(reply: str) -> Tested:
    """The reply's parts, or its first fault."""
    above, _, last = reply.rstrip().rpartition("\n")
    parts = _MARK.split(above if _CLOSED.fullmatch(last) else reply)
    if len(parts) != 2:
        return Tested("", "", "", "no_test_part", f"{len(parts) - 1} lines are <tests>")
    response, below = (part.strip() for part in parts)
    code, tests = _python(response), _python(below)
    fault, detail = _fault(response, below, code, tests)
    return Tested(response, code, tests, fault, detail)


def _fault(response: str, below: str, code: str, tests: str) -> tuple[str, str]:
    if prose(response)[1] or prose(below)[1]:
        return "open_fence", "a fenced block is not closed on its side of <tests>"
    if not code or not tests:
        return "no_code", "the answer has no Python" if not code else "the tests have no Python"
    if word := unfinished(f"{code}\n{tests}"):
        return "unfinished_code", word
    if parsed(code) is None or parsed(tests) is None:
        return "unparsable_code", "the answer" if parsed(code) is None else "the tests"
    if not asserts_outside(tests):
        return "no_assertion_outside", "every assertion stands in a function, or there is none"
    if not representation(code):
        return "nothing_defined", "the answer defines no function and no class"
    return "", ""


def _python(text: str) -> str:
    return "\n".join(block.code for block in code_blocks(text, PYTHON)).strip()
