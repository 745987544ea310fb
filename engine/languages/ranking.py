"""Who tells languages: py3langid, or a fastText model of the user's own, behind one signature.

A ranker is given a text and says how probable it finds each language it knows, by this engine's
tags. ``identify`` decides what follows from that.

Source: Lui & Baldwin, "langid.py: An Off-the-shelf Language Identification Tool", 2012, ACL demo
(py3langid is its maintained fork, with a model of its own for 139 languages); Kargaran et al.,
"GlotLID: Language Identification for Low-Resource Languages", 2023, arXiv:2310.16248 (a fastText
model that a user may bring, as any other whose labels name languages).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from itertools import takewhile
from pathlib import Path

from engine.core import JobError
from engine.languages.codes import from_label
from engine.languages.sheet import sheet
from engine.languages.tags import SPECIAL, base, normalise

Ranked = Sequence[tuple[str, float]]
"""Tags and their probabilities (0..1), the likeliest first."""
Rank = Callable[[str], Ranked]

SCRIPTS = {"sr": ("Cyrl", "Latn"), "uz": ("Latn", "Arab"), "yue": ("Hant", "Hans")}
"""Where py3langid was taught other scripts than the language's usual one, or more of them."""
FAINT = 1e-4
"""Less probable languages are left out (0..1)."""
FIRST = 10
"""Labels that a fastText model is asked for."""


@lru_cache(maxsize=4)
def ranker(model: Path | None = None) -> Rank:
    """What ranks languages: py3langid, or the fastText model in this file.

    Raises:
        JobError: the file is no model, or fasttext is not installed.
    """
    return _shipped() if model is None else _fasttext(model)


@lru_cache(maxsize=1)
def claimed() -> frozenset[str]:
    """Languages that py3langid claims to know, without script."""
    import py3langid.langid as library

    identifier = library.LanguageIdentifier.from_model_file(library.MODEL_FILE)
    return frozenset(map(_base, identifier.labels)) - SPECIAL


def claims(tag: str) -> bool:
    """Whether py3langid claims to know a language in the script that its tag means."""
    spelt = normalise(tag)
    code = base(spelt)
    if code not in claimed():
        return False
    usual = sheet().languages[code]["scripts"]
    taught = SCRIPTS.get(code, ("Hans", "Hant") if code in ("zh", "wuu") else usual[:1])
    named = [part for part in spelt.split("-")[1:] if len(part) == 4 and part.isalpha()]
    return not named or named[0] in taught


def _shipped() -> Rank:
    import py3langid.langid as library

    identifier = library.LanguageIdentifier.from_model_file(library.MODEL_FILE, norm_probs=True)

    def rank(text: str) -> Ranked:
        likely = takewhile(lambda each: each[1] >= FAINT, identifier.rank(text))
        return _merged([(_base(label), float(chance)) for label, chance in likely])

    return rank


def _fasttext(path: Path) -> Rank:
    try:
        import fasttext
    except ModuleNotFoundError as error:
        raise JobError(
            f"{path}: a fastText model needs the extra: pip install 'synth-engine[fasttext]'"
        ) from error
    try:
        model = fasttext.load_model(str(path))
    except (ValueError, OSError, RuntimeError) as error:
        raise JobError(f"{path}: not a fastText model: {error}") from error

    def rank(text: str) -> Ranked:
        labels, chances = model.predict(" ".join(text.split()), k=FIRST)
        said = zip(labels, chances, strict=True)
        return _merged([(from_label(label), min(1.0, float(chance))) for label, chance in said])

    return rank


@lru_cache(maxsize=4096)
def _base(label: str) -> str:
    return base(from_label(label))


def _merged(said: Sequence[tuple[str, float]]) -> Ranked:
    """One probability for each tag, the likeliest first; several labels may mean one language."""
    chances: dict[str, float] = {}
    for tag, chance in said:
        chances[tag] = chances.get(tag, 0.0) + chance
    return sorted(chances.items(), key=lambda each: -each[1])
