"""The Declaration of Human Rights in ``../shared/data/udhr2.zip``, by language."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from pathlib import Path

from engine.core import JobError
from engine.languages.tags import normalise
from tests.conftest import SHARED

TAGS = {
    "ckb": "ku", "007": "cri", "008": "pov", "009": "kmb", "010": "tdt", "011": "umb",
    "deu_1901": "de", "hna": "gej", "hat_kreyol": "ht", "hat_popular": "ht", "hau_NE": "ha",
    "hau_NG": "ha",    "tgl_tglg": "fil-Tglg", "ell_polytonic": "el", "ell_monotonic": "el",
}  # fmt: skip
"""What the name of a file means where it is no tag, or the wrong one: ckb is Kurmanji."""
UNMAPPED = {"btb"}
"""A code that ISO has given up for a group of languages (Beti)."""
SCRIPTS = {"cyrl", "latn", "arab", "hans", "hant", "mong", "tfng", "tglg"}
MIN_LETTERS = 20


def tag_of(stem: str) -> str:
    """The tag of a file's language; ``""`` where it cannot be mapped."""
    if stem in TAGS:
        return TAGS[stem]
    code, *more = stem.split("_")
    try:
        return normalise("-".join([code, *(part for part in more if part in SCRIPTS)]))
    except JobError:
        return ""


def declarations() -> Iterator[tuple[str, str, list[str]]]:
    """Stem, tag and paragraphs of each text, those with too few letters left out."""
    with zipfile.ZipFile(SHARED / "udhr2.zip") as files:
        for name in sorted(files.namelist()):
            if not name.endswith(".txt"):
                continue
            lines = (line.strip() for line in files.read(name).decode().splitlines())
            stem = Path(name).stem
            yield stem, tag_of(stem), [x for x in lines if sum(map(str.isalpha, x)) >= MIN_LETTERS]
