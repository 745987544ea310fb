"""YAML as it is written, mistyped, broken and malicious: a value with places, or one line."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine import jobfile
from engine.core import JobError


def refused(text: str) -> str:
    """The one line that ``text`` is refused with."""
    with pytest.raises(JobError) as caught:
        jobfile.parse(text, "job.yaml")
    assert "\n" not in str(caught.value)
    return str(caught.value)


def refused_file(path: Path) -> str:
    with pytest.raises(JobError) as caught:
        jobfile.read(path)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def value(text: str) -> dict[str, object]:
    return jobfile.parse(text, "job.yaml").value


LAUGHS = "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"a{i}: &a{i} [{','.join([f'*a{i - 1}'] * 10)}]\n" for i in range(1, 12)
)


@pytest.mark.parametrize(
    ("text", "where", "what"),
    [
        (LAUGHS, "1:", "aliases multiply"),
        ("a: " + "[" * 5_000, "1:43:", "more than 40 levels deep"),
        ("a: " + "[" * 900_000, "1:43:", "more than 40 levels deep"),
        ("".join(" " * i + f"k{i}:\n" for i in range(900)), "41:41:", "more than 40 levels"),
        ("".join(f"k{i}: 1\n" for i in range(60_000)), "20000:1:", "too long for a job"),
        ("a: [" + "1," * 400_000 + "]", "1:", "too long for a job"),
        ("a: &a [*a]\n", "1:4:", "contains itself"),
        ("a: &a\n  b: *a\n", "1:4:", "contains itself"),
        ("a: 1\nb: 2\na: 3\n", "3:1:", "the key 'a' is already on line 1"),
        ("a:\n  b: 1\n  'b': 2\n", "3:3:", "the key 'b' is already on line 2"),
        ("a:\n\tb: 1\n", "2:1:", "a tab; YAML is indented with spaces"),
        ("a:\n  b: 1\n \tc: 2\n", "3:2:", "a tab; YAML is indented with spaces"),
        ("", "1:1:", "the file is empty"),
        ("# only\n# comments\n", "1:1:", "the file is empty"),
        ("---\n", "1:1:", "the file is empty"),
        ("- a\n- b\n", "1:1:", "a job is a mapping"),
        ("hello", "1:1:", "a job is a mapping"),
        ("a: 1\n---\nb: 2\n", "2:1:", "a second document begins"),
        ("a: \x00\n", "1:4:", "control character U+0000"),
        ("ä: 1\nb: \x07\n", "2:4:", "control character U+0007"),
        ("a: \ufffe\n", "1:4:", "control character U+FFFE"),
        ('a: "\\ud800"\n', "1:7:", "not YAML"),
        ("a: !foo 1\n", "1:4:", "tags such as !foo mean nothing"),
        ("a: !!python/object/apply:os.system ['x']\n", "1:4:", "tags such as !!python/object"),
        ("a: !!binary aGk=\n", "1:4:", "tags such as !!binary"),
        ("a: !<x%0Ay> 1\n", "1:4:", "tags such as 'x\\ny' mean nothing"),
        ("a: !!set {x}\n", "1:4:", "tags such as !!set"),
        ("!!set {a}\n", "1:1:", "tags such as !!set"),
        ("a: !!int x\n", "1:4:", "'x' is no int"),
        ("a: !!bool maybe\n", "1:4:", "'maybe' is no bool"),
        ("a: !!null x\n", "1:4:", "'x' is no null"),
        ("a: &a {x: 1}\nb:\n  <<: *a\n", "3:3:", "merge keys (<<) are not used"),
        ("? [a]\n: 1\n", "1:3:", "a key is a word"),
        ("a: {{ name }}\n", "1:5:", "in quotes"),
        ("a: " + "9" * 5_000, "1:4:", "a number too large"),
        ("a: 0x" + "f" * 9_000, "1:4:", "a number too large"),
        ("a: 9223372036854775808", "1:4:", "a number too large"),
        ("a: 1e999", "1:4:", "a number too large"),
        ("a: b: c\n", "1:5:", "a colon too many"),
        ("a: 1\n  b: 2\n", "2:4:", "a wrong indentation"),
        ("b: 1\na: 'x\nc: 1\n", "2:4:", "quotes that are never closed"),
        ("a: @x\n", "1:4:", "needs quotes"),
        ("a: [1\nb: 2\n", "2:", "a list in brackets that is not closed"),
        ("a: *b\n", "1:4:", "alias"),
    ],
    ids=lambda text: repr(text[:12]),
)
def test_what_is_no_job_file_is_refused_in_one_line_that_says_where(text, where, what):
    said = refused(text)
    assert said.startswith(f"job.yaml:{where}")
    assert what in said


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("no", "no"),
        ("on", "on"),
        ("Yes", "Yes"),
        ("06:30", "06:30"),
        ("2024-01-02", "2024-01-02"),
        ("1_000", "1_000"),
        (".inf", ".inf"),
        (".nan", ".nan"),
        ("=", "="),
        ("'true'", "true"),
        ("!!str 3", "3"),
        ("x\ty", "x\ty"),
        ("ja – 是 – نعم", "ja – 是 – نعم"),
        ("true", True),
        ("False", False),
        ("007", 7),
        ("0o17", 15),
        ("0x1f", 31),
        ("-9223372036854775808", -(2**63)),
        (".5", 0.5),
        ("1e3", 1000.0),
        ("~", None),
        ("", None),
    ],
)
def test_scalars_mean_what_yaml_1_2_says(written, meant):
    found = value(f"a: {written}\n")["a"]
    assert found == meant
    assert type(found) is type(meant)


def test_every_key_and_value_knows_its_line_and_column():
    sheet = jobfile.parse("steps:\n  größe: {use: length}\n  b: [x, 是]\n", "f")
    assert sheet.at(("steps", "größe", "use"), key=True) == "f:2:11"
    assert sheet.at(("steps", "größe", "use")) == "f:2:16"
    assert sheet.at(("steps", "b", 1)) == "f:3:10"


def test_what_is_not_there_stands_at_the_nearest_thing_around_it():
    sheet = jobfile.parse("steps:\n  a:\n    use: x\n", "f")
    assert sheet.at(("steps", "a", "with", "deep", 3)) == "f:3:5"
    assert sheet.at(("other",)) == "f:1:1"


def test_an_alias_gives_its_value_and_stands_where_that_was_written():
    sheet = jobfile.parse("a: &x {k: 1}\nb: *x\n", "f")
    assert sheet.value == {"a": {"k": 1}, "b": {"k": 1}}
    assert sheet.at(("b", "k")) == "f:1:11"


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_line_endings_of_every_system_are_read(tmp_path, newline):
    path = tmp_path / "job.yaml"
    path.write_bytes(f"a: 1{newline}b: 2{newline}".encode())
    assert jobfile.read(path).value == {"a": 1, "b": 2}


def test_a_byte_order_mark_is_nobodys_mistake(tmp_path):
    path = tmp_path / "job.yaml"
    path.write_bytes(b"\xef\xbb\xbfa: 1\n")
    assert jobfile.read(path).value == {"a": 1}


def test_50_mb_are_refused_at_once(tmp_path):
    path = tmp_path / "job.yaml"
    with path.open("wb") as file:
        file.write(b"a: 1\n")
        file.truncate(50_000_000)
    assert "larger than 1000 kB" in refused_file(path)


@pytest.mark.parametrize(
    ("raw", "where"),
    [
        ("ok: 1\nname: café\n".encode("latin-1"), ":2:10: not UTF-8 (byte 0xe9)"),
        ("a: 1\n".encode("utf-16"), ":1:1: not UTF-8 (byte 0xff)"),
        ("a: 1\n".encode("utf-16-le"), ":1:2: not YAML: the control character U+0000"),
    ],
)
def test_another_encoding_is_refused_with_the_byte_that_gives_it_away(tmp_path, raw, where):
    path = tmp_path / "job.yaml"
    path.write_bytes(raw)
    assert where in refused_file(path)


@pytest.mark.parametrize(
    ("name", "what"),
    [
        ("missing.yaml", "No such file"),
        (".", "Is a directory"),
        ("x" * 300 + ".yaml", "File name too long"),
        ("a\0b.yaml", "null byte"),
    ],
)
def test_what_cannot_be_opened_is_one_line(tmp_path, name, what):
    assert what in refused_file(tmp_path / name)


@pytest.mark.parametrize(
    "text",
    [
        "a: " + "x" * 990_000,
        "a: |\n" + " x\n" * 300_000,
        "a: x\n" + " 是\n" * 190_000,
        "\n" * 990_000 + "a: 1",
        "".join(f"a{i}: &x{i} 1\n" for i in range(9_000)),
    ],
    ids=["word", "literal", "folded", "lines", "anchors"],
)
def test_the_largest_files_that_are_allowed_are_read(text):
    assert jobfile.parse(text, "job.yaml").value


@pytest.mark.parametrize(
    ("word", "known", "hint"),
    [
        ("fromat", ["format", "split"], "did you mean 'format'?"),
        ("STEPS", ["steps", "source"], "did you mean 'steps'?"),
        ("größse", ["größe", "länge"], "did you mean 'größe'?"),
        ("xyz", ["one"], "there is one"),
        ("", ["one", "two"], "there are one, two"),
        ("x" * 5_000, [], "there are none"),
    ],
)
def test_a_near_word_is_named_and_else_all_there_are(word, known, hint):
    assert jobfile.did_you_mean(word, known) == hint


SIGNS = "{}[]'\">#%@~,-\n\t\r\x00\x85\u2028\ufeff是"
WORDS = ["a", "b: ", ": ", "- ", "  ", "&x ", "*x", "!!int ", "!t ", "|\n", "---\n", "<<: ", "? "]
PIECES = st.sampled_from([*SIGNS, *WORDS, "...", "1e9", "0x", "\\ud800"])


@settings(max_examples=150, deadline=None)
@given(st.one_of(st.text(max_size=60), st.lists(PIECES, max_size=25).map("".join)))
def test_any_text_is_a_mapping_or_one_line(text):
    try:
        assert isinstance(jobfile.parse(text, "job.yaml").value, dict)
    except JobError as error:
        assert "\n" not in str(error)


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=60))
def test_any_bytes_are_a_mapping_or_one_line(tmp_path_factory, raw):
    path = tmp_path_factory.getbasetemp() / "any.yaml"
    path.write_bytes(raw)
    try:
        assert isinstance(jobfile.read(path).value, dict)
    except JobError as error:
        assert "\n" not in str(error)
