from __future__ import annotations

import pytest

from engine.text.endings import is_cut
from engine.text.markup import prose, without_inline_code


@pytest.mark.parametrize(
    "text, outside, left_open",
    [
        ("", "", 0),
        ("前\n```python\nx\n```\n后", "前\n后", 0),
        ("a\n```\nx", "a", 1),
        ("a\n~~~\nx\n~~~", "a", 0),
        ("````md\n```py\nx\n```\n````\nb", "b", 0),
        ("a ```x``` b", "a ```x``` b", 0),
        ("```\n" * 100_000, "", 0),
    ],
)
def test_prose_is_what_stands_outside_fences(text, outside, left_open):
    assert prose(text) == (outside, left_open)


def test_inline_code_and_formulas_are_taken_out():
    assert without_inline_code("用 `x[name]` 和 $a_{{b}}$ 吧").split() == ["用", "和", "吧"]
    assert without_inline_code("it costs $5") == "it costs $5"


STORY = "We left at dawn. The road was dry. By noon we had reached the river and the ferry was"


@pytest.mark.parametrize(
    "text, cut",
    [
        ("", False),
        (STORY, True),
        (STORY + " gone.", False),
        (STORY + ' gone."', False),
        (STORY + " **gone.**", False),
        (STORY + "\n\nYours, Ada", False),
        (STORY + "\n- one of many things that we had brought along with us", False),
        (STORY + "\n```\nx\n```", False),
        (STORY.replace(".", ""), False),
        ("यह पहला वाक्य है। यह दूसरा वाक्य है। " * 3 + "और यह तीसरा वाक्य बीच में ही रुक गया और", True),
        (STORY * 10_000, True),
    ],
)
def test_a_text_that_ends_its_sentences_ends_its_last_one(text, cut):
    assert is_cut(text, 15) is cut
