from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from engine.core import Record
from engine.prompting import Text
from engine.text.headings import heading_fault
from engine.text.nearer import nearer
from engine.text.reversal import document_fault, paired, request, sample
from tests.conftest import SHARED, needs_shared


@pytest.mark.parametrize(
    "heading, fault",
    [("", ""), ("  ", ""), ("How tides work", ""), ("FAQ", ""), ("Tee: Anbau & Ernte", ""),
     ("茶的种类", ""), ("الأسئلة الشائعة", ""), ("ΠΩΣ", ""),
     ("HOME | LOGIN | CART", "heading_is_scrap"), ("12/05/2019", "heading_is_scrap"),
     ("https://example.org/a", "heading_is_scrap"), ("me@example.org", "heading_is_scrap"),
     ("***", "heading_is_scrap"), ("BUY NOW AND SAVE", "heading_is_shouted"),
     ("ΟΛΑ ΤΑ ΝΕΑ ΕΔΩ", "heading_is_shouted"), ("НОВОСТИ ДНЯ", "heading_is_shouted"),
     ("word " * 26, "heading_too_long"), ("字" * 50, "heading_too_long")],
)  # fmt: skip
def test_a_heading_is_an_authors_or_a_scrap(heading: str, fault: str):
    assert heading_fault(heading) == fault


def test_very_long_texts_are_no_trouble():
    assert heading_fault("A b " * 100_000) == "heading_too_long"
    assert not nearer("字" * 200_000, "字" * 200_000, "字" * 200_000)
    assert document_fault("字 " * 200_000, 30) == ""


def test_a_text_is_nearer_to_what_is_written_like_it():
    german, english = "Der Teig geht über Nacht auf.", "The dough rises over night."
    assert nearer("Wie geht der Teig auf?", german, english)
    assert not nearer("How does the dough rise?", german, english)
    assert nearer("面团怎样发起来？", "面团过夜就会发起来。", english)
    assert not nearer("", german, english) and not nearer("Teig", german, german)


@needs_shared
def test_of_a_sentence_of_the_declaration_its_language_is_told_from_english():
    with zipfile.ZipFile(SHARED / "udhr2.zip") as files:
        names = sorted(n for n in files.namelist() if n.endswith(".txt"))[::8]
        texts = {Path(n).stem: files.read(n).decode("utf-8", "replace") for n in names}
        english = files.read(next(n for n in files.namelist() if n.endswith("eng.txt"))).decode()
    wrong, tried = [], 0
    for name, text in texts.items():
        lines = [line for line in map(str.strip, text.splitlines()) if 60 < len(line) < 300]
        for line in lines[3:5] if name != "eng" else []:
            tried += 1
            wrong += [name] * (not nearer(line[:60], text.replace(line, ""), english))
    assert tried > 60 and len(wrong) <= 0.03 * tried, wrong


@pytest.mark.parametrize(
    "reply, label, read",
    [("Instruction: Why?", "Instruction", "Why?"), ("**Task:** Why?", "Task", "Why?"),
     ('instruction: "Why?"', "Instruction", "Why?"), ("Why: so?", "Instruction", "Why: so?"),
     ("```\nWhy?\n```", "", "Why?"), ("为什么？", "Task", "为什么？"), ("", "Task", ""),
     ("Task:", "Task", "")],
)  # fmt: skip
def test_an_instruction_is_read_without_its_label(reply: str, label: str, read: str):
    assert request(reply, label) == read
    cut = Text(reply)
    cut.truncated = True
    assert request(cut, label) == ""


@pytest.mark.parametrize("document", ["字。\r\n\n 字 ", "ไทย\u200b", "a\n" * 9])
def test_the_document_leaves_the_facts_as_the_response(document: str):
    record = Record("id", "und", (), {"document": document, "licence": "CC0-1.0"})
    made = paired(record, "Q", style="chat")
    assert made.last("assistant") == document and made.last("user") == "Q"
    origins = {"instruction": "model", "response": "native"}
    assert made.facts == {"licence": "CC0-1.0", "style": "chat", "provenance": origins}
    assert made.id != record.id


@pytest.mark.parametrize(
    ("document", "piece"),
    [
        ("", ""),
        ("ab", ""),
        ("Bañ a raw na. Dafa sedd lool tey.", "lool tey."),
        ("字" * 3000, "字" * 300),
        ("wax " * 4000 + "\n", "wax " * 74 + "wax"),
    ],
)
def test_a_sample_is_of_the_end_and_never_more_than_a_third(document: str, piece: str):
    assert sample(document) == piece
