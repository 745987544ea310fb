"""Right and wrong answers, as models write them."""

from __future__ import annotations

import pytest

from engine.text.needle_scores import Due, Kind, fault

TWO = ["1234567", "7654321"]
WORDS = ["Spiegel", "Löffel"]
COMMON = ["car", "дом", "猫", "ช้าง", "बिल्ली", "قطة", "perro", "chat", "hus", "mti"]


def of(kind: Kind, expected: list[str], *none: str) -> Due:
    return Due(kind=kind, expected=expected, none=list(none) or ["none"])


NUMBERS = [
    ("1234567, 7654321", ""),
    ("7654321 und 1234567", ""),
    ("１２３４５６７、７６５４３２１", ""),
    ("١٢٣٤٥٦٧، ٧٦٥٤٣٢١", ""),
    ("१२३४५६७, ७६५४३२१", ""),
    ("The 2 codes are: 1234567, 7654321.", ""),
    ("1234567, 7654321, 1234567", ""),
    ("<answer>1234567\n7654321</answer>", ""),
    ("1234567", "wrong_values"),
    ("1234567, 7654321, 1111111", "wrong_values"),
    ("1234567, 7654322", "wrong_values"),
    ("12345677654321", "wrong_values"),
    ("1234567, 7654321, 12", "wrong_values"),
    ("none", "said_none"),
    ("1234567, 7654321 or None", "said_none"),
    ("I do not know.", "wrong_values"),
    ("", "wrong_values"),
]


@pytest.mark.parametrize(("said", "why"), NUMBERS)
def test_numbers_are_the_very_set_in_any_digits(said: str, why: str) -> None:
    assert fault(said, of("numbers", TWO)) == why


@pytest.mark.parametrize(
    ("said", "none", "why"),
    [
        ("None.", "none", ""),
        ("I would say: NONE", "none", ""),
        ("ไม่มี", "ไม่มี", ""),
        ("कोई नहीं।", "कोई नहीं", ""),
        ("查无。", "查无", ""),
        ("لا يوجد", "لا يوجد", ""),
        ("1234567", "none", "not_none"),
        ("nothing", "none", "not_none"),
        ("", "none", "not_none"),
    ],
)
def test_an_absent_code_has_to_be_denied_in_the_words_that_were_given(
    said: str, none: str, why: str
) -> None:
    assert fault(said, of("none", [none], none)) == why


def test_a_denial_in_either_language_is_one() -> None:
    due = of("numbers", TWO, "none", "hakuna")
    assert fault("Hakuna 1234567, 7654321", due) == "said_none"
    assert fault("hakuna", of("none", ["none"], "none", "hakuna")) == ""


@pytest.mark.parametrize(
    ("said", "why"),
    [
        (", ".join(COMMON), ""),
        ("\n".join(f"{n}. {word}" for n, word in enumerate(reversed(COMMON))).upper(), ""),
        (", ".join(COMMON[:9]), "missing_words"),
        ("", "missing_words"),
    ],
)
def test_all_ten_words_have_to_be_there(said: str, why: str) -> None:
    assert fault(said, of("common", COMMON)) == why


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ("Spiegel, Löffel", ""),
        ("„löffel“、「SPIEGEL」。", ""),
        ("Löffel\nSpiegel\nSpiegel", ""),
        ("Spiegel", "wrong_values"),
        ("Spiegel, Löffel, Gabel", "wrong_values"),
        ("Löffelspiegel", "wrong_values"),
        ("none", "said_none"),
    ],
)
def test_codes_that_are_words_are_the_very_set(said: str, why: str) -> None:
    assert fault(said, of("words", WORDS)) == why


def test_a_very_long_response_is_read() -> None:
    assert fault("1234567 " * 200_000, of("numbers", ["1234567"])) == ""
