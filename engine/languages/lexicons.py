r"""Bilingual lexicons: text files of words and their translations, read once.

A line is a word, a tab (or, as in MUSE's dictionaries, a space) and one translation; a word with
several senses has several lines. Lines that begin with ``#`` and blank ones are left out. The
files of a folder are called by their languages, ``en-sw.tsv`` or ``en-sw.txt``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from pathlib import Path

from engine.languages.switching import folded

Lexicon = Mapping[str, tuple[str, ...]]


def lexicon(folder: Path, source: str, target: str) -> Lexicon:
    """Words of ``source`` with their translations into ``target``; empty: there is no file.

    A file for the base language serves its variants (``en-sw.tsv`` for ``en-GB``).

    Raises:
        ValueError: the file is not UTF-8, or a line has no translation; says which.
    """
    for one in dict.fromkeys((source, source.split("-")[0])):
        for suffix in ("tsv", "txt"):
            path = folder / f"{one}-{target}.{suffix}"
            if path.is_file():
                return _read(path, path.stat().st_mtime_ns)
    return {}


def check(folder: Path, targets: Iterable[str]) -> None:
    """See that there are lexicons into these languages, and that each can be read.

    Raises:
        ValueError: none is there, or one is not as it should be; says which, and why.
    """
    if not folder.is_dir():
        raise ValueError(f"{folder} is a file; want the folder it is in")
    names = {f"{target}.{suffix}" for target in targets for suffix in ("tsv", "txt")}
    paths = [path for path in sorted(folder.iterdir()) if path.name.partition("-")[2] in names]
    if not paths:
        raise ValueError(f"{folder}: no lexicon such as en-{min(names, default='sw.tsv')}")
    for path in paths:
        _read(path, path.stat().st_mtime_ns)


@lru_cache(maxsize=64)
def _read(path: Path, changed_ns: int) -> Lexicon:
    """Read once for as long as the file stays what it is."""
    try:
        lines = path.read_bytes().decode("utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise ValueError(f"{path}: not UTF-8: {error.reason} at byte {error.start}") from error
    senses: dict[str, dict[str, None]] = {}
    for number, line in enumerate(lines, 1):
        if not line.strip() or line.startswith("#"):
            continue
        word, _, said = line.partition("\t" if "\t" in line else " ")
        if not word.strip() or not said.strip():
            raise ValueError(f"{path}:{number}: want a word, a tab and its translation")
        senses.setdefault(folded(word), {})[said.strip()] = None
    return {word: tuple(said) for word, said in senses.items()}
