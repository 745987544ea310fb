from __future__ import annotations

import pytest

from engine.text.phrases import phrase_lists
from engine.text.task_blocks import Block, blocks, is_no_input, labels, read_blocks

TASKS = [
    {"instruction": "Nenne die Farbe.", "input": "eine reife Banane", "output": "gelb"},
    {"instruction": "为什么天是蓝的？", "input": "", "output": "因为散射。"},
    {"instruction": "सबसे लंबा शब्द चुनिए", "input": "आम\nसेब", "output": "सेब"},
]


def parts(block: Block) -> dict[str, str]:
    return {"instruction": block.instruction, "input": block.input, "output": block.output}


@pytest.mark.parametrize("language", ["de", "zh", "hi", "yo"])
def test_what_is_written_is_read_back(language: str):
    assert [parts(block) for block in read_blocks(blocks(TASKS), language)] == TASKS


def test_a_block_is_written_with_its_number_and_the_marker_for_no_input():
    assert blocks(TASKS[1:2]) == (
        "###\n1. Instruction: 为什么天是蓝的？\n1. Input:\n<noinput>\n1. Output:\n因为散射。"
    )
    assert labels(7) == ["7. Instruction:", "7. Input:", "7. Output:"]


@pytest.mark.parametrize("language", sorted(phrase_lists("alpaca.yaml")))
def test_labels_in_the_language_of_the_list_are_read(language: str):
    kinds = phrase_lists("alpaca.yaml")[language]
    for asked in kinds["instruction"]:
        for given, said in ((i, o) for i in kinds["input"] for o in kinds["output"]):
            text = f"4. {asked}: eins\n4. {given}: zwei\n4. {said}: drei"
            [block] = read_blocks(text, language)
            assert (block.instruction, block.input, block.output) == ("eins", "zwei", "drei"), text


@pytest.mark.parametrize("language", sorted(phrase_lists("alpaca.yaml")))
def test_the_marker_and_the_language_s_words_for_none_are_no_input(language: str):
    for text in ("<noinput>", "<NoInput>", "<no input>", "", " - ", "N/A."):
        assert is_no_input(text, language), text
    for text in phrase_lists("alpaca.yaml")[language]["no_input"]:
        assert is_no_input(text, language) and not is_no_input(f"{text} 7 x", language), text


@pytest.mark.parametrize(
    ("text", "faults"),
    [
        ("", []),
        ("Tut mir leid.", []),
        ("1. ein Punkt\n2. noch einer", []),
        ("4. Instruction: a\n4. Input: b", ["malformed_block"]),
        ("4. Output: c\n4. Input: b\n4. Instruction: a", ["malformed_block"] * 2),
        ("4. Instruction: a\n4. Input: b\n4. Output: c\n4. Output: d", ["malformed_block"]),
        ("4. Instruction: a\n4. Input: b\n4. Output:", ["empty_output"]),
        ("###\n###\n###", []),
        (
            "4. Instruction: a\n4. Input:\n4. Output: c\n###\n5. Nenne drei Seen",
            ["", "malformed_block"],
        ),
        ("###\n4. Zähle.\n4. Input: b\n4. Output: c", [""]),
    ],
)
def test_a_block_needs_its_three_labels_once_and_in_order(text: str, faults: list[str]):
    assert [block.fault for block in read_blocks(text, "de")] == faults


def test_only_the_last_block_of_a_cut_reply_is_lost():
    found = read_blocks(blocks(TASKS), "de", truncated=True)
    assert [block.fault for block in found] == ["", "", "truncated"]
    assert read_blocks("Gern", "de", truncated=True) == []


def test_very_long_replies_are_read_in_one_pass():
    long = "#" * 200_000 + "\n" + "4. " * 200_000 + "\n" + "字" * 200_000
    assert [block.fault for block in read_blocks(long, "zh")] == ["malformed_block"]
    many = read_blocks("\n".join(blocks(TASKS) for _ in range(1_000)), "de")
    assert len(many) == 3_000 and not any(block.fault for block in many)
