"""The quickstart's own seed tasks and documents; people train on them, so rules hold for each."""

from __future__ import annotations

import json
import unicodedata
from collections import Counter
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
import regex
from rapidfuzz.distance import LCSseq

from engine.sources.documents import SOURCE
from engine.text.tokens import is_unspaced, tokens
from engine.text.unfit import unfit_word
from tests.conftest import read

JOBS = Path(__file__).parent.parent / "engine" / "jobs"
SEEDS = JOBS / "seeds" / "quickstart_tasks.jsonl"
DOCUMENTS = sorted((JOBS / "documents").glob("*.md"))
TASKS: list[dict[str, Any]] = [
    json.loads(line) for line in SEEDS.read_text(encoding="utf-8").splitlines()
]

SCRIPTS = {
    "en": "Latin", "de": "Latin", "es": "Latin", "fr": "Latin", "pt": "Latin", "sw": "Latin",
    "tr": "Latin", "eu": "Latin", "zh": "Han", "ar": "Arabic", "hi": "Devanagari", "th": "Thai",
}  # fmt: skip
ENDINGS = {
    "Latin": r"[.!?]",
    "Han": "。",
    "Arabic": r"[.؟]",
    "Devanagari": "।",
    "Thai": r"\p{Thai}",
}
"""What closes a sentence; Thai has no full stop, so its last sentence ends in a Thai letter."""
BLOCKED = regex.compile(
    r"\b(image|graph|picture|file|map|plot|diagram)s?\b|\bdraw(s|n|ing|ings)?\b"
)
"""What a text model cannot see or make; Self-Instruct leaves such instructions out."""


def each(*fields: str) -> Iterator[tuple[str, str, str]]:
    """Language, name and text of every non-empty field of every task."""
    for number, task in enumerate(TASKS, 1):
        for name in fields:
            if task[name]:
                yield task["language"], f"line {number}, {name}", task[name]


def documents() -> Iterator[tuple[str, str, str]]:
    """Language, file name and text of every document."""
    for path in DOCUMENTS:
        yield path.name.partition("-")[0], path.name, path.read_text(encoding="utf-8")


def everything() -> Iterator[tuple[str, str, str]]:
    yield from each("instruction", "input", "output")
    yield from documents()


def rouge_l(one: str, other: str) -> float:
    """ROUGE-L F1, 0..1, on the engine's tokens."""
    a, b = tokens(one), tokens(other)
    return 2 * LCSseq.similarity(a, b) / (len(a) + len(b)) if a and b else 0.0


def share_in(script: str, text: str) -> float:
    """Share of the letters of ``text`` that are written in ``script``, 0..1."""
    letters = regex.findall(r"\p{L}", text)
    own = regex.findall(rf"[\p{{L}}&&\p{{Script={script}}}]", text, regex.V1)
    return len(own) / len(letters) if letters else 1.0


def test_twelve_languages_bring_at_least_eight_seed_tasks_each() -> None:
    counts = Counter(task["language"] for task in TASKS)
    assert set(counts) == set(SCRIPTS)
    assert min(counts.values()) >= 8
    assert len(TASKS) >= 96


def test_every_seed_task_has_exactly_the_five_fields() -> None:
    kinds = {"instruction": str, "input": str, "output": str, "language": str}
    for task in TASKS:
        assert {name: type(value) for name, value in task.items()} == {
            **kinds,
            "is_classification": bool,
        }
        assert task["instruction"] and task["output"]


def test_instructions_are_one_line_of_four_to_sixty_words() -> None:
    for _, where, text in each("instruction"):
        assert "\n" not in text, where
        limit = 120 if is_unspaced(text) else 60  # about two characters make a word
        assert 4 <= len(tokens(text)) <= limit, where


def test_instructions_begin_with_a_letter_and_end_like_a_sentence() -> None:
    for language, where, text in each("instruction"):
        assert regex.match(r"\p{L}", text), where  # the punctuation filter would drop the others
        assert regex.search(ENDINGS[SCRIPTS[language]] + "$", text), where


def test_texts_are_written_in_the_script_of_their_language() -> None:
    for language, where, text in everything():
        assert share_in(SCRIPTS[language], text) >= 0.95, where


@pytest.mark.parametrize(
    ("script", "text", "share"),
    [("Thai", "มังคุด abc", 0.5), ("Han", "", 1.0), ("Arabic", "خبز", 1.0), ("Latin", "धान", 0.0)],
)
def test_the_share_of_a_script_counts_letters_only(script: str, text: str, share: float) -> None:
    assert share_in(script, text) == pytest.approx(share, abs=0.1)


def test_texts_are_normalised_and_free_of_stray_spaces() -> None:
    for _, where, text in everything():
        assert text == unicodedata.normalize("NFC", text), where
        assert not regex.search(r"[ \t]{2}|[ \t]$|\r|[\p{Cf}\uFFFD]", text, regex.M), where


def test_about_half_of_the_tasks_have_an_input() -> None:
    assert 0.4 <= sum(bool(task["input"]) for task in TASKS) / len(TASKS) <= 0.6
    for language in SCRIPTS:
        assert {bool(t["input"]) for t in TASKS if t["language"] == language} == {True, False}


def test_about_a_fifth_of_the_tasks_are_classification_in_every_language() -> None:
    labelled = [task for task in TASKS if task["is_classification"]]
    assert 0.15 <= len(labelled) / len(TASKS) <= 0.25
    assert {task["language"] for task in labelled} == set(SCRIPTS)


def test_a_classification_instruction_names_the_label_it_is_answered_with() -> None:
    for task in TASKS:
        if task["is_classification"]:
            assert task["input"]
            assert task["output"].casefold() in task["instruction"].casefold(), task["output"]


def test_no_two_instructions_of_a_language_are_near_copies() -> None:
    for language in SCRIPTS:
        own = [task["instruction"] for task in TASKS if task["language"] == language]
        for one, other in combinations(own, 2):
            assert rouge_l(one, other) <= 0.6, (one, other)


def test_no_whole_task_is_a_near_copy_of_another() -> None:
    for language in SCRIPTS:
        own = [t["instruction"] + "\n" + t["input"] for t in TASKS if t["language"] == language]
        for one, other in combinations(own, 2):
            assert rouge_l(one, other) <= 0.6, (one, other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Give me six names for a bicycle shop.", "Give me five names for a bicycle shop."),
        ("给第一次坐高铁的老人写四条提醒。", "给第一次坐飞机的老人写三条提醒。"),
    ],
)
def test_the_measure_of_near_copies_finds_one_in_any_script(one: str, other: str) -> None:
    assert rouge_l(one, other) > 0.6
    assert rouge_l(one, "") == 0.0
    assert rouge_l(one * 1000, other) < 0.1


def test_no_text_asks_for_what_a_text_model_cannot_see() -> None:
    for _, where, text in everything():
        assert not BLOCKED.search(text.lower()), where


def test_no_instruction_is_unfit_by_the_words_self_instruct_blocks_in_its_language() -> None:
    assert unfit_word("Draw a map of the village market.", "en", {})
    for language, where, text in each("instruction"):
        assert not unfit_word(text, language, {}), where


def test_only_a_classification_repeats_its_answer_from_the_instruction() -> None:
    for task in TASKS:
        if not task["is_classification"]:
            assert rouge_l(task["output"], task["instruction"]) < 0.6, task["output"]
            assert task["output"] != task["input"]


def test_every_language_has_two_documents_on_topics_of_their_own() -> None:
    assert Counter(language for language, _, _ in documents()) == dict.fromkeys(SCRIPTS, 2)
    slugs = [path.stem.partition("-")[2] for path in DOCUMENTS]
    assert len(set(slugs)) == 24
    assert all(regex.fullmatch(r"[a-z]+(-[a-z]+)*", slug) for slug in slugs)


def test_the_document_source_reads_each_language_off_the_name_and_the_title_off_the_text() -> None:
    records = list(read(SOURCE, JOBS, path="documents", language_from="stem", licence="CC0-1.0"))
    assert [r.language for r in records] == [language for language, _, _ in documents()]
    for record, (_, where, text) in zip(records, documents(), strict=True):
        assert f"# {record.facts['title']}" == text.partition("\n")[0], where
        assert record.facts["document"].rstrip() == text.rstrip(), where


def test_a_document_is_a_title_and_two_to_four_paragraphs() -> None:
    titles = set()
    for _, where, text in documents():
        title, *paragraphs = text.rstrip("\n").split("\n\n")
        assert regex.fullmatch(r"# \S[^\n]{4,60}", title), where
        assert 2 <= len(paragraphs) <= 4, where
        assert all(p and "\n" not in p for p in paragraphs), where
        titles.add(title)
    assert len(titles) == 24


def test_a_document_is_short() -> None:
    for _, where, text in documents():
        body = text.split("\n", 1)[1]
        low, high = (200, 450) if is_unspaced(body) else (90, 220)
        assert low <= len(tokens(body)) <= high, (where, len(tokens(body)))


def test_every_paragraph_ends_in_a_whole_sentence() -> None:
    for language, where, text in documents():
        for paragraph in text.strip().split("\n\n")[1:]:
            assert regex.search(ENDINGS[SCRIPTS[language]] + "$", paragraph), (
                where,
                paragraph[-20:],
            )
