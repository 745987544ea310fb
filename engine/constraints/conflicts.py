"""Which constraints cannot stand together, or make no sense together.

Two of one type never do. The matrix names the types that exclude each other whatever their
parameters (JSON has commas; nobody answers in capitals and in small letters); ``clash`` knows the
pairs that depend on them: a word both wanted and forbidden, a closing phrase with a comma where
there is to be none, ten bullet points in thirty words.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import combinations
from types import MappingProxyType

from engine.constraints import cases, keywords, layouts, lengths, whole
from engine.constraints.reading import KINDS, Constraint
from engine.constraints.units import fold, letters, unit

WORDS_PER_PIECE = 12
"""A sentence, a point, a section with fewer words says nothing."""
WORDS_PER_SENTENCE = 25
"""A longer sentence is one that nobody wants to read."""

_EXCLUSIVE: Mapping[str, str] = MappingProxyType(
    {
        "json_format": "number_sentences number_paragraphs nth_paragraph_first_word title "
        "quotation number_placeholders postscript number_bullet_lists constrained_response "
        "two_responses number_highlighted_sections multiple_sections repeat_prompt no_comma "
        "end_checker english_capital",
        "two_responses": "number_paragraphs nth_paragraph_first_word number_bullet_lists title "
        "constrained_response repeat_prompt end_checker quotation postscript multiple_sections",
        "constrained_response": "existence frequency forbidden_words letter_frequency title "
        "response_language number_sentences number_paragraphs number_words postscript quotation "
        "nth_paragraph_first_word number_placeholders number_bullet_lists multiple_sections "
        "number_highlighted_sections repeat_prompt capital_word_frequency english_capital "
        "english_lowercase end_checker",
        "repeat_prompt": "frequency forbidden_words letter_frequency response_language quotation "
        "number_sentences number_words number_paragraphs nth_paragraph_first_word no_comma "
        "number_bullet_lists capital_word_frequency english_capital english_lowercase",
        "response_language": "existence frequency forbidden_words letter_frequency end_checker "
        "number_words number_sentences nth_paragraph_first_word postscript multiple_sections "
        "capital_word_frequency english_capital english_lowercase",
        "english_capital": "english_lowercase capital_word_frequency multiple_sections",
        "english_lowercase": "capital_word_frequency multiple_sections",
        "number_paragraphs": "nth_paragraph_first_word",
        "postscript": "end_checker",
    }
)
_FULL: Mapping[str, str] = MappingProxyType({name.partition(":")[2]: name for name in KINDS})


def _pairs() -> Iterator[frozenset[str]]:
    for one, others in _EXCLUSIVE.items():
        for other in others.split():
            yield frozenset((_FULL[one], _FULL[other]))


MATRIX = frozenset(_pairs())
"""Pairs of types that exclude each other."""


def exclusive(one: str, other: str) -> bool:
    """Whether two types exclude each other whatever their parameters."""
    return one == other or frozenset((one, other)) in MATRIX


def clash(one: Constraint, other: Constraint, language: str) -> bool:
    """Whether an answer in the language cannot well meet both."""
    if exclusive(one.type, other.type):
        return True
    return any(
        _breaks(a, b, language) or _crowds(a, b, language) for a, b in ((one, other), (other, one))
    )


def clashes(constraints: list[Constraint], language: str) -> Iterator[tuple[str, str]]:
    """The types of every two that clash."""
    for one, other in combinations(constraints, 2):
        if clash(one, other, language):
            yield one.type, other.type


def written(constraint: Constraint) -> tuple[str, ...]:
    """What an answer that meets the constraint has in it, word for word."""
    match constraint.params:
        case keywords.Existence(keywords=words):
            return words
        case keywords.Frequency(keyword=word, relation="at least"):
            return (word,)
        case lengths.FirstWord(word=word):
            return (word,)
        case layouts.Postscript(marker=text) | layouts.Sections(splitter=text):
            return (text,)
        case layouts.Options(options=options):
            return options
        case whole.EndPhrase(phrase=text) | whole.RepeatPrompt(prompt=text):
            return (text,)
    return ()


def _breaks(strict: Constraint, other: Constraint, language: str) -> bool:
    """Whether what ``other`` has written is what ``strict`` does not allow."""
    texts = [fold(text, language) for text in written(other)]
    match strict.params:
        case keywords.Forbidden(words=banned):
            return any(fold(word, language) in text for word in banned for text in texts)
        case keywords.Frequency(keyword=word, relation="less than"):
            return any(fold(word, language) in text for text in texts)
        case keywords.LetterFrequency(letter=letter, relation="less than", count=most):
            long = isinstance(other.params, lengths.Words | lengths.Sentences)
            named = sum(letters(text, letter, language) * _times(other) for text in texts)
            return named >= most or (long and getattr(other.params, "relation", "") == "at least")
        case whole.NoComma():
            return any(map(whole.has_comma, written(other)))
    return False


def _times(constraint: Constraint) -> int:
    counts = isinstance(constraint.params, keywords.Frequency | layouts.Sections)
    return int(getattr(constraint.params, "count", 1)) if counts else 1


def _crowds(limit: Constraint, other: Constraint, language: str) -> bool:
    """Whether ``limit`` leaves too little room for what ``other`` asks for."""
    pieces = _pieces(other)
    scale = 1 if unit(language) == "words" else 3
    match limit.params, other.params:
        case lengths.Words(relation="less than", count=most), _:
            return most < pieces * WORDS_PER_PIECE * scale
        case lengths.Sentences(relation="less than", count=most), lengths.Words(
            relation="at least", count=least
        ):
            return least > (most - 1) * WORDS_PER_SENTENCE * scale
        case lengths.Sentences(relation="less than", count=most), _:
            return 0 < pieces >= most - 1  # a list has a sentence before it
    return False


def _pieces(constraint: Constraint) -> int:
    """How many sentences, points or parts the answer has at least; 0 where nothing says so."""
    match constraint.params:
        case lengths.Sentences(relation="at least", count=count) | lengths.Paragraphs(count=count):
            return count
        case lengths.FirstWord(count=count) | layouts.Bullets(count=count):
            return count
        case layouts.Sections(count=count) | layouts.Highlights(count=count):
            return count
        case (
            keywords.Frequency(relation="at least", count=count)
            | cases.CapitalWords(relation="at least", count=count)
        ):
            return count // 2
        case layouts.Placeholders(count=count):
            return count
    return 0
