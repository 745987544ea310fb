from __future__ import annotations

from engine.text.code_blocks import PYTHON, Block, code_blocks


def test_blocks_come_in_order_with_their_language() -> None:
    text = "你好\n```python\nx = 1\n```\nدو\n~~~ Bash extra\nls\n~~~\n```\nplain\n```"
    assert code_blocks(text) == [
        Block("python", "x = 1\n"),
        Block("bash", "ls\n"),
        Block("", "plain\n"),
    ]


def test_blocks_of_a_language_are_preferred_to_those_of_none() -> None:
    both = "```\nout\n```\n```py\nx\n```"
    assert [block.code for block in code_blocks(both, PYTHON)] == ["x\n"]
    assert [block.code for block in code_blocks("```\nx\n```\n```sh\ny\n```", PYTHON)] == ["x\n"]
    assert code_blocks("```sh\ny\n```", PYTHON) == []


def test_a_longer_fence_holds_a_shorter_one() -> None:
    assert code_blocks("````md\n```py\nx\n```\n````") == [Block("md", "```py\nx\n```\n")]


def test_a_fence_in_a_list_gives_its_indentation_up() -> None:
    text = "1. so:\n   ```python\n   if x:\n       y\n   ```"
    assert code_blocks(text) == [Block("python", "if x:\n    y\n")]


def test_a_block_left_open_ends_with_the_text() -> None:
    assert code_blocks("```python\nx = 1") == [Block("python", "x = 1\n")]


def test_attributes_and_line_ends_of_windows_are_read() -> None:
    assert code_blocks("```{.python}\r\nx\r\n```\r\n") == [Block("python", "x\n")]


def test_code_between_backticks_in_a_line_is_no_block() -> None:
    assert code_blocks("```inline``` and `more`") == []


def test_nothing_and_very_much_are_read() -> None:
    assert code_blocks("") == []
    (block,) = code_blocks("```\n" + "字\n" * 500_000 + "```")
    assert len(block.code) == 1_000_000
    assert code_blocks("`" * 1_000_000)[0].code == ""
