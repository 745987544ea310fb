from __future__ import annotations

import random
from typing import Any

import pytest

from engine.text.remixing import FAULTS, Remix, Rendered, Unfit, copied, remix
from engine.text.task_types import SLOT

ROW: dict[str, Any] = {"text": "der Nebel kam.", "label": "trüb", "parts": ["甲", "乙"], "n": 3}


def rendered(body: str, context: str = "text", row: Any = None, choices: str = "") -> Rendered:
    made = remix(body, context, choices)
    assert isinstance(made, Remix)
    return made.render(ROW if row is None else row, random.Random(1))


@pytest.mark.parametrize(
    "body",
    [
        "{{text}} Was? ||| {{ label }}",
        "{{   text }} Was? ||| {{ label }}",
        "{{- text -}} Was? ||| {{ label }}",
        "{{ text | trim }} Was? ||| {{ label }}",
        "{{ text | capitalize }} Was? ||| {{ label }}",
        "{{ text|trim|upper }} Was? ||| {{ label }}",
        "{{ text.strip() }} Was? ||| {{ label }}",
        "{{ text ~ ' Was?' }} ||| {{ label }}",
        "{{ text + ' Was?' }} ||| {{ label }}",
        "{{ (text ~ ' Was? ') | trim }} ||| {{ label }}",
        "{{ [text, 'Was?'] | join(' ') }} ||| {{ label }}",
        "{% if label %}{{ text }} Was? ||| {{ label }}{% endif %}",
        "{{ text if n > 2 else label }} Was? ||| {{ label }}",
        "{# {{ text }} ist der Text #}{{ text }} Was? ||| {{ label }}",
    ],
)
def test_the_text_is_found_however_it_is_printed(body: str) -> None:
    found = rendered(body)
    assert not found.fault, found
    assert found.input.replace("Was?", " Was?").split() == [SLOT, "Was?"]
    assert (found.context, found.target) == ("der Nebel kam.", "trüb")


def test_several_places_are_several_slots_also_in_the_target() -> None:
    found = rendered("Lies: {{ text }} Noch einmal: {{text}} ||| {{ text }}")
    assert (found.input, found.target) == (f"Lies: {SLOT} Noch einmal: {SLOT}", SLOT)


@pytest.mark.parametrize("inner", ["parts|join('\\n- ')", 'parts | join( "\\n- " )'])
def test_the_text_may_be_an_expression_in_other_quotes_and_blanks(inner: str) -> None:
    found = rendered(f"Das:\n- {{{{ {inner} }}}} ||| x", "parts | join('\\n- ')")
    assert (found.context, found.input) == ("甲\n- 乙", f"Das:\n- {SLOT}")


def test_what_is_computed_from_the_text_sees_the_text() -> None:
    body = (
        "{% if 'Nebel' in text %}{{ text | length }} Zeichen: {{ text }}{% endif %} ||| {{ label }}"
    )
    assert rendered(body).input == f"14 Zeichen: {SLOT}"


@pytest.mark.parametrize(
    "body",
    [
        "{{ label }} ||| {{ n }}",
        "{{ text | length }} Zeichen ||| {{ label }}",
        "{{ text | replace('e', 'E') }} ||| {{ label }}",
        "{{ row['text'] }} ||| {{ label }}",
    ],
)
def test_a_template_that_does_not_print_the_text_is_none(body: str) -> None:
    assert remix(body, "text") is None


@pytest.mark.parametrize("body", ["{{ text }} ||| {{ label }}", "\n {{text|trim}}\n ||| x"])
def test_a_template_that_is_the_text_and_nothing_else_is_unfit(body: str) -> None:
    with pytest.raises(Unfit, match="nothing else"):
        remix(body, "text")


def test_a_row_that_leaves_nothing_but_the_text_is_told() -> None:
    body = "{% if label %}{{ label }}{% endif %} {{ text }} ||| x"
    assert rendered(body, row=ROW | {"label": ""}).fault == "nothing_but_the_context"


@pytest.mark.parametrize(
    ("body", "row", "fault"),
    [
        ("{{ text }} Was? ||| {{ label }}", {"label": ""}, "empty_target"),
        ("{{ text }} Was? ||| {{ label }}", {"label": None}, "empty_target"),
        ("{{ text }} Was? ||| {{ label }}", {"text": " "}, "no_context"),
        ("{% if n > 5 %}{{ text }} Was? ||| x{% endif %}", {}, "not_one_separator"),
        ("{{ text }} a ||| b ||| c", {}, "not_one_separator"),
        ("{{ text }} Was? ||| {{ label }}", {"label": "{{context}}"}, "not_the_same_task"),
        ("{% for text in parts %}{{ text }} {% endfor %}? ||| x", {}, "not_the_same_task"),
        ("{{ ([text, n] | join(' ')) | title }} ? ||| x", {}, "not_the_same_task"),
    ],
)
def test_rows_that_make_no_task_are_told(body: str, row: dict[str, Any], fault: str) -> None:
    assert rendered(body, row=ROW | row).fault == fault


def test_a_separator_in_a_row_is_text() -> None:
    found = rendered("{{ text }} Was? ||| {{ label }}", row=ROW | {"label": "a ||| b"})
    assert (found.target, found.fault) == ("a ||| b", "")


@pytest.mark.parametrize(
    "body",
    [
        "{{ text }} {{ missing }} ||| x",
        "{{ text }} {{ parts[9] }} ||| x",
        "{{ text }} {{ n | join }} ||| x",
        "{{ text }} {{ text.__class__ }} ||| x",
        "{{ text }} {{ text.format(1) }} ||| x",
        "{{ text }} {{ parts.append(1) }} ||| x",
        "{{ text }} {{ n + 'a' }} ||| x",
        "{{ text }} {{ choice([]) }} ||| x",
    ],
)
def test_a_template_that_fails_on_a_row_fails_in_a_known_way(body: str) -> None:
    with pytest.raises(FAULTS):
        rendered(body)


@pytest.mark.parametrize(
    "body",
    [
        "{{ text }}",
        "{{ text ||| x",
        "{{ text }} {{ 'a' * 1000000000 }} ||| x",
        "{{ text }} {{ '%999999999d' % n }} ||| x",
        "{{ text }} {{ n ** n ** n }} ||| x",
        "{{ text }} {{ text | center(999999999) }} ||| x",
        "{{ text }} {{ text | nothing }} ||| x",
        "{{ text }} {{ n is nothing }} ||| x",
        "{% include 'x' %} {{ text }} ||| x",
        "{% import 'x' as y %} {{ text }} ||| x",
        "{% macro m() %}{% endmacro %} {{ text }} ||| x",
        "{% for a in text %}{% for b in text %}{% for c in text %}.{% endfor %}{% endfor %}"
        "{% endfor %} {{ text }} ||| x",
        "{% for a in parts recursive %}{{ loop(parts) }}{% endfor %} {{ text }} ||| x",
    ],
)
def test_a_template_that_does_what_none_may_is_unfit(body: str) -> None:
    with pytest.raises(Unfit):
        remix(body, "text")


@pytest.mark.parametrize("context", ["", "text }} {{ label", "text |", "'a' * 99"])
def test_a_text_that_is_no_expression_is_unfit(context: str) -> None:
    with pytest.raises(Unfit):
        remix("{{ text }} Was? ||| x", context)


def test_wordings_are_drawn_and_answers_listed() -> None:
    body = "{{ choice(['Eins', 'Zwei']) }}: {{ text }} {{ answer_choices | join('/') }} ||| x"
    made = remix(body, "text", "gut ||| {{ label }}")
    assert made
    found = {made.render(ROW, random.Random(n)) for n in range(20)}
    assert {each.input for each in found} == {
        f"Eins: {SLOT} gut/trüb",
        f"Zwei: {SLOT} gut/trüb",
    }
    assert not any(each.fault for each in found)
    assert made.render(ROW, random.Random(3)) == made.render(ROW, random.Random(3))


def test_a_very_long_text_is_one_slot() -> None:
    found = rendered("{{ text }} 什么? ||| x", row={"text": "雾来了。" * 100_000})
    assert found.input == f"{SLOT} 什么?" and len(found.context) == 400_000


@pytest.mark.parametrize("text", ["abcdefgh" * 3, "天地玄黄宇宙洪荒" * 3])
def test_a_run_is_copied_from_n_plus_one_characters_on(text: str) -> None:
    assert not copied(text, f"<{text[5:15]}>", 10)
    assert copied(text, f"<{text[5:16]}>", 10)
    assert not copied(text, "", 10) and not copied("", text, 10)
