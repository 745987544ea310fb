"""Text that can be written down: what UTF-8 has no form for is repaired."""

from __future__ import annotations


def clean(text: str) -> str:
    """``text`` as UTF-8 can hold it: surrogate pairs are joined, half ones become U+FFFD.

    JSON escapes, file names and models bring such halves; one of them kills any writer.
    """
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text
