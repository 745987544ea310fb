"""A syllabus is read by its form, in any script; the replies of models are in tests/generators."""

import pytest

from engine.text.syllabus import Session, listed, sessions

PLAIN = """## 1. Limits
What a limit is.
- convergence
- epsilon and delta

## 2. Derivatives
- tangent
- chain rule
"""


def concepts(text):
    return [session.concepts for session in sessions(text)]


def test_headings_prose_and_bullets_are_title_description_and_concepts():
    assert sessions(PLAIN) == [
        Session("Limits", "What a limit is.", ("convergence", "epsilon and delta")),
        Session("Derivatives", "", ("tangent", "chain rule")),
    ]


@pytest.mark.parametrize(
    ("text", "titles"),
    [
        ("### Session 1: A\n- x\n### Session 2: B\n- y", ["A", "B"]),
        ("# Course\n## A\n- x\n## B\n- y", ["A", "B"]),
        ("**Sitzung 1: A**\n- x\n**Sitzung 2: B**\n- y", ["A", "B"]),
        ("1. A\n   - x\n2. B\n   - y", ["A", "B"]),
        ("第一讲：极限\n- 收敛\n第二讲：导数\n- 切线", ["极限", "导数"]),
        ("## ١. النهايات\n- التقارب\n## ٢. المشتقات\n- المماس", ["النهايات", "المشتقات"]),
        ("## सत्र १: सीमा\n- अभिसरण\n## सत्र २: अवकलज\n- स्पर्शरेखा", ["सीमा", "अवकलज"]),
        ("## Session 1\n- x\n## Session 2\n- y", ["Session 1", "Session 2"]),
        ("## 1. A\n- x\n## Exams\n- 40 %\n## 2. B\n- y", ["A", "B"]),
        ("## 1. A\n- x\n## 2. Holiday\n## 3. B\n- y", ["A", "B"]),
    ],
)
def test_sessions_open_as_models_open_them(text, titles):
    assert [session.title for session in sessions(text)] == titles


def test_a_deeper_heading_and_a_nested_list_belong_to_the_session():
    text = "## 1. A\n### Key Concepts\n- x\n- y\n## 2. B\n- Key concepts:\n  - z\n  - w\n"
    assert concepts(text) == [("x", "y"), ("z", "w")]


def test_concepts_in_a_line_are_split_but_not_within_brackets():
    text = (
        "## 1. A\nWhat is taught: much.\n*Key concepts*: sums (finite, infinite), limits; series\n"
        "## 2. B\n- **Description:** How it goes on.\n- **Key concepts:** tangents, slopes\n"
        "## 3. C\n关键概念：收敛、极限、连续\n"
    )
    assert concepts(text) == [
        ("sums (finite, infinite), limits", "series"),
        ("tangents", "slopes"),
        ("收敛", "极限", "连续"),
    ]
    assert sessions(text)[1].description == "How it goes on."


def test_what_is_said_about_a_concept_is_left_out():
    text = "## 1. A\n- **Ohm's law**: V = IR\n- **Power:** what is used\n- a\n- A\n- b.\n" * 2
    assert concepts(text)[0] == ("Ohm's law", "Power", "A", "b")


@pytest.mark.parametrize(
    "text",
    ["", "\n\n", "I cannot do that.", "## 1. A\n- x", "- a\n- b", "## 1. A\nprose\n## 2. B\nprose"],
)
def test_what_has_no_form_has_no_sessions(text):
    assert sessions(text) == []


def test_a_very_long_text_is_read_at_once():
    assert len(sessions(PLAIN * 5_000)) == 10_000
    assert sessions("x: " * 200_000) == []
    assert sessions("## 1. A\n- " + "wort " * 100_000 + "\n## 2. B\n- y")[0].title == "B"
    assert sessions("**" * 50_000) == []


def test_sessions_of_a_record_are_read_and_what_is_none_is_left_out():
    rows = [
        {"title": " A ", "description": None, "concepts": ["x", "X", "", 3, "y"], "more": 1},
        {"title": "B", "concepts": []},
        {"title": "", "concepts": ["x"]},
        {"title": "C", "concepts": "x, y"},
        "D",
    ]
    assert listed(rows) == [Session("A", "", ("X", "y"))]
    assert listed(None) == listed("x") == listed({"title": "A", "concepts": ["x"]}) == []
