"""Language: drop records that are not in the language they are meant to be in.

Each field is told by itself (``engine.languages.identify``) and held against the record's language,
or the one that ``languages`` gives it: a question may be asked in one and answered in another. What
was found stays as ``facts["identified"]``, field by field, for the report. Reasons are
``wrong_language``, ``wrong_script`` (Serbian in Latin letters where Cyrillic is wanted) and
``unsure_language``.

Nobody can tell a short, mixed or all-code text: ``unsure`` says what becomes of it. Of close
languages (Indonesian and Malay, Croatian and Bosnian) the one is often taken for the other, so a
text that seems to be in such a relative is kept, unless ``close: refuse``. Of a language that the
identifier does not know, a text is always taken for some other; only a script that is not its own,
or a widely spoken language found for sure, is held against it. That is how models fail: they fall
back to English.

Source: ours; why a gate on every field: Marchisio et al., "Understanding and Mitigating Language
Confusion in LLMs", 2024, arXiv:2406.20052 (models answer in another language than the one asked).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from pydantic import BaseModel, Field

from engine.core import Drop, Finding, Json, Outcome, Record
from engine.fields import Tag
from engine.kit import Filter, InputPath, Kit
from engine.languages.agreement import UNLIKELY, Judged, judged
from engine.languages.identify import Identified, identify
from engine.text.sides import Side, turns


class Params(BaseModel, extra="forbid"):
    """Which texts are told, and what follows."""

    fields: tuple[str, ...] = Field(default=("instruction", "response"), min_length=1)
    """``instruction`` and ``response`` are all turns of a side, any other name is a fact's."""
    languages: dict[str, Tag] = Field(default_factory=dict)
    """Field to BCP-47 tag, where it is not the record's own language."""
    min_confidence: float = Field(default=UNLIKELY, ge=0, le=1)
    """Another language found with less than this confidence, 0..1, is no finding but unsure."""
    unsure: Literal["keep", "drop", "skip"] = "keep"
    """``skip`` keeps the record, too, but its verdict says that the check does not apply."""
    close: Literal["accept", "refuse"] = "accept"
    """Whether a language easily taken for the right one will do."""
    model: InputPath | None = None
    """A fastText model to tell languages with, such as GlotLID's; needs the extra ``fasttext``."""


@dataclass(frozen=True, slots=True)
class _Told:
    """What one text of a field came to."""

    field: str
    found: Identified
    expected: str
    judged: Judged

    def __str__(self) -> str:
        seen = f"{self.found.tag} ({self.found.confidence:.2f})"
        return f"{self.field}: {seen}, wanted {self.expected}"


def check(record: Record, kit: Kit[Params]) -> Outcome | Finding:
    """Keep the record if every field is in its language, as far as can be told."""
    told = list(_told(record, kit.params))
    if not told:
        return Finding(record, "skipped", "no text in any field")
    record = record.with_facts(identified=_facts(told))
    for each in told:
        if each.judged in ("wrong_language", "wrong_script"):
            return Drop(record, each.judged, str(each))
    unsure = next((each for each in told if each.judged == "unsure"), None)
    if unsure is None or kit.params.unsure == "keep":
        return record
    if kit.params.unsure == "skip":
        return Finding(record, "skipped", str(unsure))
    return Drop(record, "unsure_language", str(unsure))


def _told(record: Record, params: Params) -> Iterator[_Told]:
    for field in params.fields:
        expected = params.languages.get(field) or record.language
        for text in _texts(record, field):
            found = identify(text, model=params.model)
            how = judged(
                found,
                expected,
                accept_close=params.close == "accept",
                least=params.min_confidence,
                every=params.model is not None,
            )
            yield _Told(field, found, expected, how)


def _texts(record: Record, field: str) -> list[str]:
    sides: dict[str, Side] = {"instruction": "instruction", "response": "response"}
    if field in sides:
        return [text for text in turns(record, sides[field]) if text.strip()]
    fact = record.facts.get(field)
    return [fact] if isinstance(fact, str) and fact.strip() else []


def _facts(told: list[_Told]) -> dict[str, Json]:
    """What was found in each field; of several texts the one that is least sure."""
    least: dict[str, Identified] = {}
    for each in told:
        if each.field not in least or each.found.confidence < least[each.field].confidence:
            least[each.field] = each.found
    return {f: {"language": x.tag, "confidence": x.confidence} for f, x in least.items()}


FILTER = Filter(check, Params)
