"""How others write languages: the codes of translation models, identifiers and datasets.

NLLB wants ``arb_Arab`` where a job says ``ar``, mBART ``ar_AR``; a fastText model answers
``__label__als`` and means Alemannic, which everybody else calls ``gsw``. ``Codes`` is one such way
of writing, by the list of all its codes: it says what a code means (``tag``) and how a language is
written (``code``). Which ways there are is data, in ``taxonomies/language_codes.yaml``; a dataset's
own is made from the values of its column.

Only the lists are stored; both directions are derived, by what ``tags.normalise`` makes of a code.
A language that a list does not have gets no code, never that of its neighbour.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache, lru_cache
from types import MappingProxyType

from engine.core import JobError
from engine.languages.sheet import sheet
from engine.languages.tags import base, normalise
from engine.shipped import folder, read

LABEL = "__label__"
"""What fastText writes before a label."""


@dataclass(frozen=True, slots=True, eq=False)
class Codes:
    """One way to write languages."""

    name: str
    codes: tuple[str, ...]
    meant: Mapping[str, str] = field(default_factory=dict)
    """What a code means here, where it means something else elsewhere."""
    scripts: bool = True
    """Whether a language in another script is another code; else one stands for all scripts."""

    def tag(self, code: str) -> str:
        """The tag of the language that a code means here.

        Raises:
            JobError: it is none of these codes, or its language is not known.
        """
        if code not in self.codes:
            raise JobError(f"{code!r} is no language of {self.name}: {', '.join(self.codes)}")
        return normalise(self.meant.get(code, code))

    def code(self, tag: str) -> str:
        """How a language is written here; ``""`` where it cannot be.

        Raises:
            JobError: the tag names no language that is known.
        """
        found = _by_tag(self)
        return next((found[each] for each in _readings(tag, self.scripts) if each in found), "")


@cache
def systems() -> Mapping[str, Codes]:
    """The ways of writing that are known, by name."""
    found = read(folder("taxonomies") / "language_codes.yaml")
    several = {name: _system(name, **said) for name, said in found.items()}
    return MappingProxyType(several)


def to_nllb(tag: str) -> str:
    """How NLLB and FLORES-200 write a language: ``zho_Hant`` for ``zh-TW``; ``""`` without it."""
    return systems()["nllb"].code(tag)


@lru_cache(maxsize=4096)
def from_label(label: str) -> str:
    """The tag that an identifier's label means: ``__label__eng_Latn`` is ``en``.

    A fastText label without a script is lid.176's, and so Wikipedia's: ``__label__als`` is ``gsw``.
    A label that nobody here knows stays as it is: an identifier may know more than this engine.
    """
    plain = label.removeprefix(LABEL)
    meant = systems()["fasttext"].meant if plain != label else {}
    try:
        return normalise(meant.get(plain, plain))
    except JobError:
        return plain.replace("_", "-")


def macrolanguage(tag: str) -> str:
    """ISO 639-3 code of the macrolanguage that a language belongs to; ``""`` for none."""
    return sheet().macros.get(base(normalise(tag)), "")


def _system(
    name: str, codes: str, *, scripts: bool, meant: Mapping[str, str] = MappingProxyType({})
) -> Codes:
    return Codes(name, tuple(codes.split()), meant, scripts)


@lru_cache(maxsize=64)
def _by_tag(system: Codes) -> dict[str, str]:
    """Tag -> the code; of several, the one that begins with the language's own ISO 639-3 code."""
    found: dict[str, str] = {}
    for code in system.codes:
        try:
            tag = system.tag(code)
        except JobError:  # a language that the engine has no word about
            continue
        if tag not in found or code.startswith(sheet().languages[base(tag)]["iso"]):
            found[tag] = code
    return found


def _readings(tag: str, scripts: bool) -> Iterator[str]:
    """Tags by which a list may have a language, the most exact first."""
    spelt = normalise(tag)
    yield spelt
    code, *rest = spelt.split("-")
    written = [part for part in rest if len(part) == 4 and part.isalpha()]
    usual = sheet().languages.get(code, {}).get("scripts", [""])[0]
    if written:
        yield f"{code}-{written[0]}"
    if not written or written[0] == usual or not scripts:
        yield code
        yield f"{code}-{usual}"
