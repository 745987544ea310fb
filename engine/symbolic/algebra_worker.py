"""What runs in the process of ``algebra``: reads pairs of expressions, says whether they are equal.

A script of its own, not imported by the engine: it loads the library (math-verify, which reads
LaTeX by a grammar and compares by sympy) and nothing of the engine's. One line of JSON in, one out.
"""

from __future__ import annotations

import json
import logging
import resource
import signal
import sys
from typing import Any

MEMORY = 2 << 30
"""Bytes of address space: a power tower asks for more and gets an error instead."""
GRACE_S = 5.0
"""Seconds after the limit in which a worker whose parent is gone ends itself."""


def main() -> None:
    """Answer until there is no more question."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    logging.disable()
    from math_verify import LatexExtractionConfig, parse, verify

    reading = (LatexExtractionConfig(),)

    def read(text: str) -> list[Any]:
        """The expression, or nothing where it cannot be read."""
        found = parse(f"${text}$", reading, parsing_timeout=None)
        return [each for each in found if not isinstance(each, str)]

    def equal(one: str, other: str) -> bool | None:
        left, right = read(one), read(other)
        if not left or not right:
            return None
        return bool(verify(left, right, timeout_seconds=None))

    print(json.dumps({"ready": True}), flush=True)
    for line in sys.stdin:
        asked = json.loads(line)
        # the default action of the alarm ends the process, should nobody else do
        signal.setitimer(signal.ITIMER_REAL, asked["timeout_s"] + GRACE_S)
        try:
            said: dict[str, Any] = {"equal": equal(asked["one"], asked["other"])}
        except (ArithmeticError, ValueError, TypeError, AttributeError, LookupError) as error:
            said = {"error": f"{type(error).__name__}: {error}"[:300]}
        except (RecursionError, MemoryError, NotImplementedError) as error:
            said = {"error": type(error).__name__}
        signal.setitimer(signal.ITIMER_REAL, 0)
        print(json.dumps(said), flush=True)


if __name__ == "__main__":
    main()
