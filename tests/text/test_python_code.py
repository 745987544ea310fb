from __future__ import annotations

import pytest

from engine.text.python_code import (
    LONGEST,
    MAX_LINES,
    asserts_outside,
    definitions,
    functions,
    parsed,
    representation,
    shape,
    unfinished,
)

GOOD = '''
def zähle(text):
    """Count the signs."""
    return len(text)
'''


def names(source: str) -> list[str]:
    return [function.name for function in functions(source)]


def test_a_function_that_says_what_it_does_and_stands_alone_is_a_seed() -> None:
    [found] = functions(GOOD)
    assert (found.name, found.code) == ("zähle", GOOD.strip())


@pytest.mark.parametrize(
    ("source", "why"),
    [
        (GOOD.replace('    """Count the signs."""\n', ""), "no docstring"),
        (GOOD.replace('"""', "'"), "docstring in single quotes"),
        (GOOD.replace("(text)", "()"), "no argument"),
        (GOOD.replace("return len", "print"), "returns nothing"),
        (GOOD.replace("return len(text)", "return"), "returns no value"),
        (GOOD.replace("return len(text)", "def inner():\n        return 1"), "only the inner does"),
        (GOOD.replace("len(text)", "len(LINES)"), "needs a name of its file"),
        (GOOD.replace("len(text)", "other(text)"), "needs a function of its file"),
        (GOOD.replace("signs", "signs, TODO"), "unfinished"),
        (GOOD.replace("len", "debug = len"), "no expression"),
        (f"import os\n{GOOD.replace('len(text)', 'os.listdir(text)')}", "touches the machine"),
        (GOOD.replace("    return", "    import subprocess\n    return"), "touches it inside"),
        (GOOD.replace("    return", "    x = 1\n" * MAX_LINES + "    return"), "too long"),
        (f"class A:\n{GOOD.replace(chr(10), chr(10) + '    ')}", "a method"),
        ("def f(x):", "no Python"),
        ("", "empty"),
        ("x\0", "NUL"),
        ("(" * 1000 + ")" * 1000, "too deep"),
        ("#" * (LONGEST + 1), "too long a file"),
    ],
    ids=lambda value: value if len(value) < 40 and "\n" not in value else "",
)
def test_other_functions_are_none(source: str, why: str) -> None:
    assert names(source) == [], why


def test_a_seed_brings_the_imports_it_needs_and_no_others() -> None:
    source = f"import re, math\nfrom collections import Counter as C\n{GOOD}".replace(
        "len(text)", "re.sub('a', '', text) + max(C(text))"
    )
    [found] = functions(source)
    assert found.code.startswith("import re\nfrom collections import Counter as C\n\ndef zähle")
    assert "math" not in found.code


def test_relative_imports_are_no_imports_that_a_function_can_bring() -> None:
    assert names(f"from .near import len as l\n{GOOD.replace('len(', 'l(')}") == []


def test_decorators_annotations_and_calls_of_itself_belong_to_the_function() -> None:
    source = '''
from functools import cache


@cache
def fib(n: int) -> int:
    """The nth."""
    return n if n < 2 else fib(n - 1) + fib(n - 2)
'''
    [found] = functions(source)
    assert found.code.startswith("from functools import cache\n\n@cache\ndef fib")


def test_names_are_told_without_case_and_underscores() -> None:
    code = "class Is_Prime: pass\n\ndef isPrime(): pass\n\ndef Größe(): pass\n\nX = 1"
    assert definitions(code) == ("größe", "isprime")
    assert definitions("def f(") == definitions("") == ()


def test_the_representation_has_no_docstrings_comments_or_statements() -> None:
    code = (
        'import re\n\ndef f(x):  # so\n    """Doc."""\n    return x\n\nclass A:\n    """Doc."""\n'
    )
    assert representation(code) == "def f(x):\n    return x\nclass A:\n    pass"
    assert representation("x = 1") == representation("def f(") == ""
    assert representation(f"def f(a):\n    return a{'.b' * 5000}") == "", "too deep to write"


def test_two_layouts_have_one_shape() -> None:
    assert shape("x=1 # so") == shape("x = (1)") != shape("x = 2")
    assert shape("x =") == "" and shape(f"a{'.b' * 5000}") == ""


@pytest.mark.parametrize(
    ("code", "outside"),
    [
        ("assert f(1) == 2", True),
        ("for x in (1, 2):\n    assert f(x)", True),
        ("with open(p):\n    try:\n        assert x\n    finally:\n        pass", True),
        ("def test():\n    assert f(1)\ntest()", False),
        ("class T:\n    def test(self):\n        assert f(1)", False),
        ("print(1)", False),
        ("assert", False),
        ("", False),
    ],
)
def test_an_assertion_outside_of_functions_surely_runs(code: str, outside: bool) -> None:
    assert asserts_outside(code) is outside


@pytest.mark.parametrize(
    ("code", "word"),
    [
        ("# TODO: more", "TODO"),
        ("raise NotImplementedError", "notimplemented"),
        ("# Tu Código aquí", "tu código aquí"),
        ("# 在此处编写代码", "在此处编写"),
        ("# اكتب الكود هنا", "اكتب الكود هنا"),
        ("# recorre todo el texto", ""),
        ("metodo = 'todo'", ""),
        ("", ""),
        ("x = 1\n" * 100_000, ""),
    ],
)
def test_unfinished_work_is_told_by_its_words(code: str, word: str) -> None:
    assert unfinished(code) == word


def test_an_odd_escape_in_the_code_is_not_our_warning() -> None:
    assert parsed("x = '\\d'") is not None
