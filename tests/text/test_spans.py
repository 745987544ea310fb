"""Long texts are cut between paragraphs, in any script, and nothing is lost."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.text.spans import heading, parts


def cut(text, split="paragraphs", low=1, high=40, markdown=True):
    return [text[p.start : p.end] for p in parts(text, split, low, high, markdown)]


@pytest.mark.parametrize("one", ["Erster Absatz.", "第一段。", "الفقرة الأولى."])
def test_paragraphs_are_parts(one):
    text = f"\n\n  {one}\n{one}\n \t\u3000\n{one}\r\n\r\n{one}\n\n"
    assert cut(text) == [f"  {one}\n{one}", one, one]


def test_short_paragraphs_are_packed_until_there_is_enough_and_never_beyond_the_limit():
    text = "\n\n".join(["aaaa"] * 7)
    assert [len(part) for part in cut(text, low=10, high=16)] == [10, 10, 16]
    assert cut(text, low=10, high=15)[-1] == "aaaa"


def test_a_paragraph_longer_than_the_limit_stays_whole():
    assert cut("a" * 100 + "\n\nb", high=10) == ["a" * 100, "b"]


def test_a_heading_stays_with_what_it_heads():
    text = "intro\n# One #\n\n## Sub\n\nbody\n\nmore\n# Two\nend"
    assert cut(text) == ["intro", "# One #\n\n## Sub\n\nbody", "more", "# Two\nend"]
    found = parts(text, "sections", 1, 40)
    assert [(p.section, p.opens) for p in found] == [("", False), ("One", True), ("Two", True)]


def test_sections_are_cut_at_paragraphs_only_when_they_are_too_long():
    text = "# A\n\naaaa\n\nbbbb\n\n# B\n\ncccc"
    assert cut(text, "sections") == ["# A\n\naaaa\n\nbbbb", "# B\n\ncccc"]
    assert cut(text, "sections", high=10) == ["# A\n\naaaa", "bbbb", "# B\n\ncccc"]


def test_a_fence_is_not_cut_and_holds_no_heading():
    text = "a\n\n```python\n# not a heading\n\nx = 1\n```\n\nb"
    assert cut(text) == ["a", "```python\n# not a heading\n\nx = 1\n```", "b"]
    assert heading(text) == ""
    assert len(cut(text, markdown=False)) == 4


def test_the_first_heading_is_the_title():
    assert heading("text\n### 标题 ###\n# Later") == "标题"
    assert heading("#hashtag\n") == heading("") == ""


def test_text_without_a_printed_character_has_no_parts():
    assert [cut(text, split) for text in ("", " \n\t\n") for split in ("none", "sections")] == [
        []
    ] * 4


def test_unsplit_text_is_one_part_from_the_first_line_to_the_last():
    assert cut("\n\n  a\n\nb \n\n", "none") == ["  a\n\nb"]


@given(st.text("a#` \n\u3000字", max_size=80), st.integers(1, 10), st.integers(10, 30))
def test_parts_keep_every_character_but_white_space_in_order(text, low, high):
    for split in ("none", "paragraphs", "sections"):
        joined = "".join(cut(text, split, low, high))
        assert "".join(joined.split()) == "".join(text.split())


def test_a_very_long_text_is_cut_without_loss():
    for unit in ("```a\n\n", "# x\n", "字" * 99 + "\n\n", "#" * 50 + " " * 50 + "\n", "` "):
        text = unit * 20_000  # anything quadratic in its length would be seen in the durations
        assert "".join("".join(cut(text, "sections", 200, 4000)).split()) == "".join(text.split())
