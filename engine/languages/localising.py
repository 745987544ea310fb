"""What becomes of a verifiable constraint when its instruction goes into another language.

Translating an instruction is not enough where a program holds the answer against it: an English
keyword in a Thai request, a count of words in a script that has none, capitals where there are
none make a good answer fail, or no answer pass. So each type of constraint has a policy by what is
true of the target language (``taxonomies/localise.yaml``): it stays, its words are translated, a
sign of the language takes the sign's place, its unit changes, it holds the answer in the source's
language, or it is left out. What a model has to do is known in advance: the words to translate,
and no more. Nothing here asks one.

One decision is made for all constraints of an instruction at once: the language of the *answer*.
Where it stays as it was (a constraint names a third language, or capitals hold it in the source's)
every constraint stays as it was, for it speaks of that answer.

Source: Zeng et al., "Marco-Bench-MIF: On Multilingual Instruction-Following Capability of Large
Language Models", 2025, arXiv:2507.11882 (what was done by hand in 30 languages); Dussolle et al.,
"M-IFEval: Multilingual Instruction-Following Evaluation", 2025, arXiv:2502.04688.
Differs: the policy is a table; the marker of a postscript is one, the language's own or "P.S.".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Literal

from pydantic import BaseModel

from engine import shipped
from engine.constraints.cases import Case
from engine.constraints.keywords import LetterFrequency
from engine.constraints.layouts import Options, Postscript, Sections
from engine.constraints.lengths import Words, worth
from engine.constraints.reading import Constraint, ConstraintError, language_of, read
from engine.constraints.stock import Stock, stock_for
from engine.constraints.units import cased, fold, marks_sentences, unit
from engine.constraints.whole import RepeatPrompt, ResponseLanguage
from engine.languages.ranking import claims
from engine.languages.table import find
from engine.languages.tags import base
from engine.text.scripts import script, share_in_script

Action = Literal["keep", "translate", "native", "switch_unit", "answer_language", "forbid"]
Trait = Literal["any", "unmarked", "caseless", "unspaced", "recounted", "rtl", "nonlatin"]
WithoutCase = Literal["force", "drop"]
ORDER: tuple[Trait, ...] = ("unmarked", "caseless", "unspaced", "recounted", "rtl", "nonlatin")
_WORDED: Mapping[str, str] = {
    "keywords:existence": "keywords",
    "keywords:frequency": "keyword",
    "keywords:forbidden_words": "words",
    "length_constraints:nth_paragraph_first_word": "word",
    "detectable_content:postscript": "marker",
    "detectable_format:constrained_response": "options",
    "detectable_format:multiple_sections": "splitter",
    "startend:end_checker": "phrase",
}
"""Type -> the parameter that holds words of a language."""


class Sheet(BaseModel, extra="forbid", frozen=True):
    """``taxonomies/localise.yaml``."""

    policy: Mapping[str, Mapping[Trait, Action]]
    letters: Mapping[str, str]
    customary: frozenset[str]


@dataclass(frozen=True, slots=True)
class Way:
    """From which language to which."""

    origin: str
    """BCP-47 tag of the instruction as it is."""
    language: str
    """BCP-47 tag of what it is to be."""


@dataclass(frozen=True, slots=True)
class Move:
    """What becomes of one constraint."""

    before: Constraint
    after: Constraint | None
    """``None`` where it is left out; with the source's words in it while ``asks`` is not empty."""
    action: Action
    asks: tuple[str, ...] = ()
    """Words that somebody who knows the language has yet to put into it."""


@dataclass(frozen=True, slots=True)
class Localised:
    """The constraints of one instruction in another language, in their order."""

    moves: tuple[Move, ...]
    language: str
    """BCP-47 tag of the language that an answer is to be in."""
    added: tuple[Constraint, ...] = ()
    """What holds the answer in a language that nothing else names."""

    @property
    def size(self) -> int:
        """How many conditions there were, with those that were added."""
        return len(self.moves) + len(self.added)

    @property
    def constraints(self) -> list[Constraint]:
        """What an answer is held against."""
        return [*(move.after for move in self.moves if move.after), *self.added]


@lru_cache(maxsize=1)
def sheet() -> Sheet:
    """The table, as it is shipped."""
    return Sheet.model_validate(shipped.read(shipped.folder("taxonomies") / "localise.yaml"))


@lru_cache(maxsize=1024)
def traits(way: Way) -> frozenset[Trait]:
    """What is true of a way, of what the policy asks about."""
    tag = way.language
    true: dict[Trait, bool] = {
        "unmarked": not marks_sentences(tag),
        "caseless": not cased(tag),
        "unspaced": unit(tag) == "characters",
        "recounted": worth(tag) != worth(way.origin),
        "rtl": find(tag).direction == "rtl",
        "nonlatin": script(tag) != "Latn",
    }
    return frozenset(trait for trait, holds in true.items() if holds)


def action(type_: str, way: Way) -> Action:
    """What the policy says of a type of constraint on a way."""
    row, true = sheet().policy[type_], traits(way)
    return next((row[trait] for trait in ORDER if trait in true and trait in row), row["any"])


def localised(
    constraints: Sequence[Constraint], way: Way, without_case: WithoutCase = "drop"
) -> Localised:
    """The constraints on the other side of the way, but for the words they still ask for.

    ``without_case`` says what a constraint on capitals does where there are none: ``force`` the
    answer into the source's language, or ``drop`` out.
    """
    given = language_of(constraints, way.origin)
    held = any(action(each.type, way) == "answer_language" for each in constraints)
    if base(given) != base(way.origin) or (held and without_case == "force"):
        return _held(constraints, given, way)
    return Localised(tuple(_moved(each, way) for each in constraints), way.language)


def translated(move: Move, words: Sequence[str], language: str) -> Move:
    """The move with the words it asks for.

    Raises:
        ConstraintError: they are too few or too many, or not in the script of the language.
    """
    if len(words) != len(move.asks):
        asked = f"{len(words)} words for {len(move.asks)}: {', '.join(move.asks)}"
        raise ConstraintError(f"{move.before.type}: {asked}")
    for word in words:
        if share_in_script(word, language) < 1:
            told = f"{word!r} is not in the script of {language}"
            raise ConstraintError(f"{move.before.type}: {told}")
    if move.after is None or not words:
        return move
    name = _WORDED[move.before.type]
    listed = isinstance(getattr(move.after.params, name), tuple)
    after = _with(move.after, **{name: list(words) if listed else words[0]})
    return replace(move, after=after, asks=())


def repeatable(move: Move, request: str) -> Move:
    """A condition to repeat anything but the request without its conditions is left out.

    Nobody here knows what else is in the other language. Other moves stay as they are.
    """
    if move.after is None or not isinstance(move.after.params, RepeatPrompt):
        return move
    whole = _flat(move.after.params.prompt) == _flat(request)
    return move if whole else replace(move, after=None, action="forbid")


def repeating(move: Move, request: str) -> Move:
    """A condition to repeat the request repeats this one; other moves as they are."""
    if move.after is None or not isinstance(move.after.params, RepeatPrompt):
        return move
    return replace(move, after=_with(move.after, prompt=request.strip()))


def native_letter(letter: str, way: Way) -> str:
    """A letter of the target's script, about as frequent as this one is in its own.

    A letter of that script, or a sign, is itself; ``""`` where none is listed.
    """
    if share_in_script(letter, way.language) == 1:
        return letter
    theirs = sheet().letters.get(script(way.origin), "")
    ours = sheet().letters.get(script(way.language), "")
    rank = theirs.find(letter.lower())
    return ours[min(rank, len(ours) - 1) if rank >= 0 else len(ours) // 2] if ours else ""


def _held(constraints: Sequence[Constraint], given: str, way: Way) -> Localised:
    """Everything as it is, and something that says which language the answer is in."""
    moves = []
    for each in constraints:
        forced = action(each.type, way) == "answer_language"
        moves.append(Move(each, each, "answer_language" if forced else "keep"))
    named = language_of(constraints, "") or not claims(given)
    added = () if named else (Constraint(_ANSWER, ResponseLanguage(language=given)),)
    return Localised(tuple(moves), given, added)


def _moved(constraint: Constraint, way: Way) -> Move:
    """One constraint of an answer that changes its language."""
    match action(constraint.type, way):
        case "forbid" | "answer_language":
            return Move(constraint, None, "forbid")
        case "switch_unit":
            return Move(constraint, _recounted(constraint, way), "switch_unit")
        case "native":
            return _native(constraint, way)
        case "translate":
            return _worded(constraint)
    return Move(constraint, constraint, "keep")


def _worded(constraint: Constraint) -> Move:
    found = getattr(constraint.params, _WORDED[constraint.type])
    asks = found if isinstance(found, tuple) else (found,)
    return Move(constraint, constraint, "translate", asks)


def _native(constraint: Constraint, way: Way) -> Move:
    """The constraint with the signs of the language; left out where it has none."""
    here, there = stock_for(way.origin), stock_for(way.language)
    after: Constraint | None = constraint
    match constraint.params:
        case LetterFrequency(letter=letter):
            found = native_letter(letter, way)
            after = _with(constraint, letter=found) if found else None
        case Case():
            after = _with(constraint, language=None)
        case ResponseLanguage():
            speaks = claims(way.language)
            after = _with(constraint, language=way.language) if speaks else None
        case Postscript(marker=marker) if there.postscripts:
            after = _with(constraint, marker=_same(marker, here.postscripts, there.postscripts))
        case Sections(splitter=name):
            if not there.sections:
                return _worded(constraint)
            after = _with(constraint, splitter=_same(name, here.sections, there.sections))
        case Options(options=options):
            if options not in here.options or not _as_many(there, here, options):
                return _worded(constraint)
            after = _with(constraint, options=there.options[here.options.index(options)])
    return Move(constraint, after, "native" if after else "forbid")


def _as_many(there: Stock, here: Stock, options: tuple[str, ...]) -> bool:
    """Whether the language lists this set of phrases, too, with as many of them."""
    at = here.options.index(options)
    return at < len(there.options) and len(there.options[at]) == len(options)


def _same(word: str, here: Sequence[str], there: Sequence[str]) -> str:
    """What stands where the word does in the other list; its first entry where there is none."""
    at = here.index(word) if word in here else 0
    return there[min(at, len(there) - 1)]


def _recounted(constraint: Constraint, way: Way) -> Constraint:
    """As much text, counted as the other language counts; to ten where there are many."""
    params = constraint.params
    assert isinstance(params, Words)
    count = params.count * worth(way.origin) / worth(way.language)
    whole = round(count / 10) * 10 if count >= 100 else round(count)
    return _with(constraint, count=max(1, whole))


def _with(constraint: Constraint, **changes: object) -> Constraint:
    """The constraint with other parameters, checked like any."""
    return read({"type": constraint.type, "params": {**dict(constraint.params), **changes}})


def _flat(text: str) -> str:
    return " ".join(fold(text, "").split())


_ANSWER = "language:response_language"
