"""When two texts are the same text: a key that differences nobody sees do not change.

Compatibility forms (full width, ligatures) are made one, but 2⁵ stays apart from 25; case is
folded; white space and signs that are not shown are left out. The joiners of Persian, Urdu and
the Indic scripts are shown and stay: without them a word reads otherwise. Elsewhere they are
noise. Diacritics stay everywhere.
"""

from __future__ import annotations

import hashlib
import unicodedata

import regex

from engine.text.clean import clean

_JOINED = "Arab Syrc Nkoo Mong Deva Beng Guru Gujr Orya Taml Telu Knda Mlym Sinh Khmr Mymr Tibt"
"""Scripts (ISO 15924) in which a joiner changes what is seen."""
_AFTER = "".join(rf"\p{{sc={script}}}" for script in _JOINED.split())
_HIDDEN = regex.compile(
    r"[\p{White_Space}\p{Cc}]+"
    r"|[\p{Cf}\p{Variation_Selector}\u034f--[\u200c\u200d\U000e0020-\U000e007f]]+"
    rf"|(?<![{_AFTER}\p{{M}}\p{{Extended_Pictographic}}\ufe0f])[\u200c\u200d]+",
    regex.V1,
)
_HIDDEN_ASCII = dict.fromkeys([*range(33), 127])
_RAISED = regex.compile(
    r"([\p{Decomposition_Type=Super}\p{Decomposition_Type=Sub}\p{Decomposition_Type=Fraction}]+)"
)
_DIGITS = regex.compile(r"\p{Nd}")
_PUNCTUATION = regex.compile(r"[\p{P}\p{S}]+")


def bare(text: str, *, punctuation: bool = True, digits: bool = True) -> str:
    """The text without what does not count.

    Args:
        text: any; half a surrogate pair counts as U+FFFD.
        punctuation: whether punctuation and symbols count.
        digits: whether it counts which digit one is; if not, all become 0.
    """
    if text.isascii():
        text = text.translate(_HIDDEN_ASCII).casefold()
    else:
        text = _HIDDEN.sub("", clean(text))
        text = _compatible(_compatible(text).casefold())
    if not punctuation:
        text = _PUNCTUATION.sub("", text)
    return text if digits else _DIGITS.sub("0", text)


def _compatible(text: str) -> str:
    """NFKC, but for what is raised, lowered or a fraction: 2⁵ is not 25."""
    parts = _RAISED.split(text)
    parts[::2] = [unicodedata.normalize("NFKC", part) for part in parts[::2]]
    return "".join(parts)


def key(*texts: str) -> bytes:
    """16 bytes that are the same for the same texts, in this order, only."""
    mark = hashlib.blake2b(digest_size=16)
    for text in texts:
        encoded = text.encode("utf-8", "surrogatepass")
        mark.update(len(encoded).to_bytes(8, "little") + encoded)
    return mark.digest()
