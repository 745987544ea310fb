"""A list of texts without an object for each: one run of bytes, and where each text ends.

A short ``str`` costs 50 bytes before its first character, and the garbage collector counts it;
here a text costs its UTF-8 and eight bytes.
"""

from __future__ import annotations

from array import array


class Packed:
    """Texts in the order of adding; half a surrogate pair comes back as it was."""

    def __init__(self) -> None:
        """An empty list."""
        self._bytes = bytearray()
        self._ends = array("Q", [0])

    def append(self, text: str) -> None:
        """Add a text at the end."""
        self._bytes += text.encode("utf-8", "surrogatepass")
        self._ends.append(len(self._bytes))

    def __getitem__(self, at: int) -> str:
        if not 0 <= at < len(self):
            raise IndexError(at)
        with memoryview(self._bytes) as whole:
            return bytes(whole[self._ends[at] : self._ends[at + 1]]).decode(
                "utf-8", "surrogatepass"
            )

    def __len__(self) -> int:
        return len(self._ends) - 1
