"""How good one translation is, as a vector: nine measures, each for itself, none averaged.

``placeholders`` (share of what was taken out that is there again), ``length_ratio`` (characters,
target over source), ``language`` (1 the wanted one, 0 another; absent where unsure), ``script``
(share of words in the script of the language), ``copied`` (share of word triples that are the
source's), ``numbers`` (agreement of the numbers, whatever digits they are written in), ``repeated``
(share of words in n-grams said before), ``chrf`` (of the translation translated back, against the
source, 0..100) and ``similarity`` (cosine of the two, by a model that embeds many languages).

What is wrong in every language is said here (``fault``). What is too little of something differs
from language to language and from translator to translator, and is in ``limits``.

Source: Popović, "chrF: character n-gram F-score for automatic MT evaluation", 2015,
doi:10.18653/v1/W15-3049 (through sacrebleu: Post, "A Call for Clarity in Reporting BLEU Scores",
2018, arXiv:1804.08771).
Differs: sentinels count for nothing in chrF; numbers are compared as values, in any script.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from fractions import Fraction
from functools import lru_cache
from typing import TYPE_CHECKING

from engine.languages.agreement import agreement, judged
from engine.languages.identify import identify
from engine.languages.masking import SENTINEL, Masked, mask
from engine.languages.ranking import claims
from engine.text.numerals import values
from engine.text.repetition import repeated_ngrams
from engine.text.scripts import share_in_script
from engine.text.tokens import tokens

if TYPE_CHECKING:
    from sacrebleu.metrics.chrf import CHRF

Quality = dict[str, float]

OWN_SCRIPT = 0.5
"""A text with fewer of its words than this in the script of its language is in another."""
COPIED_WORDS = 4
"""A text of fewer words may be the same in both languages: a name, a greeting."""
_NGRAM = 3


def measured(source: Masked, text: str, origin: str, language: str) -> Quality:
    """All of the vector that needs no model; of an empty text, what can be said of it.

    Args:
        source: the source, masked.
        text: the translation, everything put back.
        origin: BCP-47 tag of the source.
        language: BCP-47 tag of the translation.
    """
    plain, said = spoken(source.text), spoken(mask(text, source.entities).text)
    vector = {
        "placeholders": _recalled(source, text),
        "length_ratio": len(text.strip()) / max(1, len(_whole(source).strip())),
        "script": share_in_script(said, language),
        "copied": _copied(plain, said),
        "numbers": _agreement(values(plain, origin), values(said, language)),
        "repeated": repeated_ngrams(tokens(said), _NGRAM),
    }
    right = _language(said, origin, language)
    return vector if right is None else vector | {"language": right}


def fault(vector: Quality, source: Masked, text: str) -> tuple[str, str]:
    """What is wrong with a translation in any language: the reason and its particulars.

    Two empty texts where nothing is.
    """
    if not text.strip():
        return "empty_translation", "the reply holds no text"
    if vector["placeholders"] < 1:
        return "lost_placeholder", "a piece that is to stay as it is has gone"
    rest = spoken(mask(text, source.entities).text)
    before, after = tokens(spoken(source.text)), tokens(rest)
    if len(after) >= COPIED_WORDS and before == after:
        return "copied_source", "it is the source, untranslated"
    if vector["script"] < OWN_SCRIPT:
        return "wrong_script", f"{vector['script']:.2f} of the words are in the wanted script"
    if vector.get("language", 1) < 1:
        return "wrong_language", "it is not in the wanted language"
    extra = _lines(text) - _lines(_whole(source))
    if extra > 0:
        return "added_lines", f"{extra} lines more than the source has"
    return "", ""


def answer_fault(answer: str, prompt: str, language: str) -> str:
    """Why an answer is none, or not in the language: the reason of a drop; empty for a good one.

    What is code or has too few words to tell its language passes.
    """
    said = spoken(mask(answer).text)
    if not answer.strip():
        return "empty_answer"
    if " ".join(answer.split()) == " ".join(prompt.split()):
        return "copied_prompt"
    if share_in_script(said, language) < OWN_SCRIPT:
        return "wrong_script"
    told = judged(identify(said, (language,)), language)
    return told if told in ("wrong_language", "wrong_script") else ""


def chrf(back: str, source: str) -> float:
    """chrF2 (0..100) of a text translated back, against what it came from; sentinels left out."""
    score: float = _metric().sentence_score(spoken(back).strip(), [spoken(source).strip()]).score
    return score


def spoken(masked: str) -> str:
    """A masked text without its sentinels."""
    return SENTINEL.sub(" ", masked)


@lru_cache(maxsize=1)
def _metric() -> CHRF:
    from sacrebleu.metrics.chrf import CHRF

    return CHRF()


def _whole(source: Masked) -> str:
    return SENTINEL.sub(lambda found: source.kept[int(found[1])].text, source.text)


def _recalled(source: Masked, text: str) -> float:
    wanted = Counter(piece.text for piece in source.kept)
    found = sum(min(times, text.count(piece)) for piece, times in wanted.items())
    return found / wanted.total() if wanted else 1.0


def _language(said: str, origin: str, language: str) -> float | None:
    """1 for the wanted language, 0 for another, None where nobody can tell.

    Of a language that the identifier does not know, all it can say is that it is still the
    source's.
    """
    found = identify(said, (language,)).tag
    wanted = agreement(found, language)
    if wanted in ("unsure", "same", "close"):
        return None if wanted == "unsure" else 1.0
    return 0.0 if claims(language) or agreement(found, origin) == "same" else None


def _copied(before: str, after: str) -> float:
    there, here = _ngrams(tokens(before)), _ngrams(tokens(after))
    return (here & there).total() / here.total() if here else 0.0


def _ngrams(words: Sequence[str]) -> Counter[tuple[str, ...]]:
    return Counter(tuple(words[at : at + _NGRAM]) for at in range(len(words) - _NGRAM + 1))


def _agreement(one: Counter[Fraction | str], other: Counter[Fraction | str]) -> float:
    """Share of the numbers of both that both have; 1 where there are none."""
    either = (one | other).total()
    return (one & other).total() / either if either else 1.0


def _lines(text: str) -> int:
    return sum(bool(line.strip()) for line in text.splitlines())
