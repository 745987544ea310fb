"""Constraints on the answer as a whole: two of it, what it opens and ends with, its language.

Also commas, which no sign of the answer may be: those of Arabic, Chinese, Armenian, Ethiopic and
the other scripts that have their own count, too.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated

import regex
from pydantic import AfterValidator, BaseModel, Field

from engine.constraints.keywords import Word
from engine.constraints.kinds import AnyKind, Context, Found, Ground, Kind, decided, exactly
from engine.constraints.units import QUOTES, bare, blank, fold, folded_word
from engine.text.scripts import script

RULE = "******"
PAIRS = ('""', "“”", "„“", "„”", "””", "«»", "»«", "「」", "『』", "＂＂", "‟”", "〝〞")
"""Opening and closing double quotation marks, as languages pair them."""
ROOM = 500
"""Characters around the start or end of a text in which a phrase is looked for."""
LONGEST_REPEAT = 600
"""A longer instruction is not asked to be repeated, in characters."""
_CLOSERS = QUOTES.replace("'", "")
_COMMA = regex.compile(r"[,،、，､﹐﹑︐︑՝߸፣᠂᠈⸲⸴⸹⹁⹌⹎꓾꘍꛵\U00016e97\U0001da87\U0001144d]")
_TAG = regex.compile(r"[A-Za-z]{2,3}(?:[-_][A-Za-z0-9]{2,8})*")


def _tag(text: str) -> str:
    if not _TAG.fullmatch(text):
        raise ValueError(f"{text!r} is no language tag")
    return text


Tag = Annotated[str, AfterValidator(_tag)]
"""A BCP-47 tag."""


class ResponseLanguage(BaseModel, extra="forbid", frozen=True):
    """The answer is in a language."""

    language: Tag
    """BCP-47 tag; a script in it counts, too (``zh-Hant``)."""


class TwoResponses(BaseModel, extra="forbid", frozen=True):
    """Two different answers with six asterisks between them."""


class RepeatPrompt(BaseModel, extra="forbid", frozen=True):
    """The answer opens with the request."""

    prompt: Word = Field(max_length=100_000)
    """The request to repeat, in either case."""


class EndPhrase(BaseModel, extra="forbid", frozen=True):
    """The answer ends with a phrase."""

    phrase: Word
    """The phrase, in either case."""


class Quotation(BaseModel, extra="forbid", frozen=True):
    """The whole answer is between double quotation marks."""


class NoComma(BaseModel, extra="forbid", frozen=True):
    """There is no comma."""


def response_language(text: str, params: ResponseLanguage, context: Context) -> Found:
    """Whoever can tell languages says that it is this one."""
    return spoken(text, params.language, context)


def spoken(text: str, language: str, context: Context) -> Found:
    """Whether the text is in the language; undecided where nobody can tell."""
    if context.identify is None:
        return Found("skipped", "nobody here can tell languages")
    found = context.identify(text)
    if not found:
        return Found("skipped", "its language cannot be told")
    same = found.split("-")[0].lower() == language.replace("_", "-").split("-")[0].lower()
    holds = same and script(found) == script(language)
    return decided(holds, f"in {found}, wanted {language}")


def two_responses(text: str, params: TwoResponses, context: Context) -> Found:
    """Six asterisks stand between two answers that differ, and nowhere else but at the ends."""
    parts = bare(text).split(RULE)
    inner = parts[1 if blank(parts[0]) else 0 : -1 if blank(parts[-1]) else None]
    if any(map(blank, inner)):
        return Found("fail", "an empty answer between two rules")
    if len(inner) != 2:
        return exactly(len(inner), 2, "answers")
    return decided(inner[0].strip() != inner[1].strip(), "the two answers are the same")


def repeat_prompt(text: str, params: RepeatPrompt, context: Context) -> Found:
    """The text opens with the request, word for word."""
    wanted = fold(params.prompt, context.language).strip()
    head = text.lstrip()[: 4 * len(params.prompt) + ROOM]
    opening = fold(head, context.language).strip()
    return decided(opening.startswith(wanted), "does not open with the request")


def end_checker(text: str, params: EndPhrase, context: Context) -> Found:
    """The text ends with the phrase; a quotation mark may stand behind it."""
    wanted = folded_word(params.phrase, context.language).strip().strip(_CLOSERS).rstrip()
    tail = text.rstrip()[-4 * len(params.phrase) - ROOM :]
    ending = fold(tail, context.language).strip().strip(_CLOSERS).rstrip()
    return decided(ending.endswith(wanted), f"ends with {ending[-40:]!r}")


def quotation(text: str, params: Quotation, context: Context) -> Found:
    """The first and the last sign are quotation marks that belong together."""
    plain = bare(text).strip()
    holds = len(plain) > 1 and plain[0] + plain[-1] in PAIRS
    return decided(holds, f"from {plain[:1]!r} to {plain[-1:]!r}")


def no_comma(text: str, params: NoComma, context: Context) -> Found:
    """No comma of any script is in the text."""
    found = _COMMA.search(text)
    return decided(found is None, f"{found[0]!r} at {found.start()}" if found else "")


def has_comma(text: str) -> bool:
    """Whether a comma of any script is in the text."""
    return _COMMA.search(text) is not None


def _draw_language(ground: Ground) -> ResponseLanguage | None:
    base = ground.language.split("-")[0]
    others = [tag for tag in ground.languages if tag.split("-")[0] != base]
    return ResponseLanguage(language=ground.rng.choice(others)) if others else None


def _draw_repeat(ground: Ground) -> RepeatPrompt | None:
    asked = ground.instruction.strip()
    if ground.has_input or blank(asked) or len(asked) > LONGEST_REPEAT or "*" in asked:
        return None
    return RepeatPrompt(prompt=asked)


def _draw_end(ground: Ground) -> EndPhrase | None:
    endings = ground.stock.endings
    return EndPhrase(phrase=ground.rng.choice(endings)) if endings else None


KINDS: Mapping[str, AnyKind] = MappingProxyType(
    {
        "language:response_language": Kind(ResponseLanguage, response_language, _draw_language),
        "combination:two_responses": Kind(TwoResponses, two_responses, lambda _: TwoResponses()),
        "combination:repeat_prompt": Kind(RepeatPrompt, repeat_prompt, _draw_repeat),
        "startend:end_checker": Kind(EndPhrase, end_checker, _draw_end),
        "startend:quotation": Kind(Quotation, quotation, lambda _: Quotation()),
        "punctuation:no_comma": Kind(NoComma, no_comma, lambda _: NoComma()),
    }
)
