from __future__ import annotations

import pytest

from engine.languages.together import all_marks, opened_parcel, parcel, reply_labels

TEXTS = {
    "INSTRUCTION": "把 {name} 写进 `x = 1`。",
    "RESPONSE_A": "写 {name}。",
    "RESPONSE_B": "好。",
}
SAID = {
    "TRANSLATED_INSTRUCTION": "Put ⟦0⟧ into ⟦1⟧.",
    "TRANSLATED_RESPONSE_A": "Write ⟦0⟧.",
    "TRANSLATED_RESPONSE_B": "Fine.",
}


def reply(**changed: str) -> str:
    return "\n".join(f"{label}\n{text}" for label, text in (SAID | changed).items())


def test_each_text_is_masked_by_itself_and_put_together_again() -> None:
    units = parcel(TEXTS, "en")
    assert [unit.masked.text for unit in units] == ["把 ⟦0⟧ 写进 ⟦1⟧。", "写 ⟦0⟧。", "好。"]
    assert all_marks(units) == ["⟦0⟧", "⟦1⟧"] and reply_labels(units) == list(SAID)
    done = opened_parcel(units, reply())
    assert [unit.text for unit in done] == ["Put {name} into `x = 1`.", "Write {name}.", "Fine."]
    assert not any(unit.fault for unit in done) and [unit.take for unit in done] == [1, 1, 1]
    assert [unit.kind for unit in done] == ["instruction", "response", "response"]


@pytest.mark.parametrize(
    ("label", "text", "fault"),
    [
        ("TRANSLATED_RESPONSE_A", "Write it.", "lost_placeholder"),
        ("TRANSLATED_RESPONSE_A", "⟦0⟧ ⟦0⟧", "doubled_placeholder"),
        ("TRANSLATED_RESPONSE_A", "⟦0⟧ ⟦1⟧", "invented_placeholder"),
        ("TRANSLATED_RESPONSE_A", "", "empty_translation"),
        ("TRANSLATED_INSTRUCTION", "", "empty_translation"),
    ],
)
def test_a_fault_is_the_one_text_s_in_which_it_is(label: str, text: str, fault: str) -> None:
    done = opened_parcel(parcel(TEXTS, "en"), reply(**{label: text}))
    assert {f"TRANSLATED_{unit.place}": unit.fault for unit in done if unit.fault} == {label: fault}


def test_of_a_cut_reply_the_last_text_is_not_whole() -> None:
    done = opened_parcel(parcel(TEXTS, "en"), reply(), cut=True)
    assert [unit.fault for unit in done] == ["", "", "cut_translation"] and not done[-1].text


@pytest.mark.parametrize("said", ["", "I am sorry.", "⟦0⟧" * 100_000])
def test_a_reply_without_labels_holds_no_translation(said: str) -> None:
    done = opened_parcel(parcel(TEXTS, "en"), said)
    assert {unit.fault for unit in done} == {"empty_translation"}
