"""Letters, words and sequences: functions to make programming tasks from."""

import re
import unicodedata
from itertools import groupby


def balanced(text: str) -> int:
    """Return the position of the first bracket that does not fit, or -1 where all do.

    Round, square and curly brackets count. One that is never closed does not fit either; the
    outermost of these is returned.
    """
    pairs = {")": "(", "]": "[", "}": "{"}
    unclosed: list[tuple[str, int]] = []
    for at, sign in enumerate(text):
        if sign in pairs.values():
            unclosed.append((sign, at))
        elif sign in pairs:
            if not unclosed or unclosed[-1][0] != pairs[sign]:
                return at
            unclosed.pop()
    return unclosed[0][1] if unclosed else -1


def complement(strand: str) -> str:
    """Return the opposite strand of DNA, read in its own direction.

    A and T stand opposite each other, and so do C and G. Another letter is a ValueError.
    """
    opposite = {"A": "T", "T": "A", "C": "G", "G": "C"}
    if foreign := set(strand) - set(opposite):
        raise ValueError(f"no base: {min(foreign)}")
    return "".join(opposite[base] for base in reversed(strand))


def edits(old: str, new: str) -> int:
    """Return how many letters must be added, removed or replaced to make one word the other."""
    above = list(range(len(new) + 1))
    for row, have in enumerate(old, start=1):
        line = [row]
        for column, want in enumerate(new, start=1):
            replaced = above[column - 1] + (have != want)
            line.append(min(replaced, above[column] + 1, line[-1] + 1))
        above = line
    return above[-1]


def plain_letters(text: str) -> str:
    """Return the text without accents and other marks on its letters."""
    parts = unicodedata.normalize("NFD", text)
    bare = "".join(part for part in parts if not unicodedata.combining(part))
    return unicodedata.normalize("NFC", bare)


def run_lengths(text: str) -> list[tuple[str, int]]:
    """Return each run of equal characters with its length, in order."""
    return [(sign, len(list(run))) for sign, run in groupby(text)]


def song_keys(melody: list[str], steps: int) -> list[str]:
    """Move a melody up or down by so many half tones; notes are named with sharps, as in 'C#'."""
    names = ["C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B"]
    return [names[(names.index(note) + steps) % 12] for note in melody]


def subtitle_lines(text: str, width: int) -> list[str]:
    """Break a text into lines of at most so many characters, between words.

    A word that is longer than a line stands on a line of its own.
    """
    lines: list[str] = []
    for word in re.split(r"\s+", text.strip()):
        if lines and len(lines[-1]) + 1 + len(word) <= width:
            lines[-1] += f" {word}"
        elif word:
            lines.append(word)
    return lines
