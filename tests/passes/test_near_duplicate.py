from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import replace

import pytest
from pydantic import ValidationError

from engine.core import Drop, Outcome, Record
from engine.kit import Desk
from engine.passes.near_duplicate import PASS, Params
from engine.text.minhash import RECALL
from engine.text.shingles import jaccard, normalise, shingles
from tests.conftest import seed, settle

ALPHABETS = ["abcdefghijklmnoprstuvwz", "абвгдежзиклмнопрстуф", "春夏秋冬山水花鸟风月日星天地人"]


def rows(texts: Iterable[str], prefix: str = "r") -> list[Record]:
    return [replace(seed(text), id=f"{prefix}{n}") for n, text in enumerate(texts)]


def kept(outcomes: Iterable[Outcome]) -> list[str]:
    return [outcome.id for outcome in outcomes if isinstance(outcome, Record)]


def planted(count: int, rng: random.Random) -> list[str]:
    """Random sentences in three scripts; every other one is an earlier one with some typing."""
    texts: list[str] = []
    for number in range(count):
        if number % 2:
            letters = list(rng.choice(texts))
            for _ in range(rng.randint(0, len(letters) // 12)):
                letters[rng.randrange(len(letters))] = rng.choice("xyq")
            texts.append("".join(letters))
        else:
            words = (
                "".join(rng.choices(rng.choice(ALPHABETS), k=rng.randint(2, 8))) for _ in "x" * 12
            )
            texts.append(" ".join(words))
    return texts


def test_every_drop_is_a_true_duplicate_and_nearly_all_duplicates_are_dropped():
    texts = planted(1200, random.Random(7))
    cut = {f"r{n}": shingles(normalise(text)) for n, text in enumerate(texts)}
    outcomes = settle(PASS, rows(texts), threshold=0.7)
    survivors: list[str] = []
    found = missed = 0
    for outcome in outcomes:
        id_ = outcome.record.id if isinstance(outcome, Drop) else outcome.id
        near = [old for old in survivors if jaccard(cut[id_], cut[old]) >= 0.7]
        if isinstance(outcome, Drop):
            twin = outcome.detail.split()[-1]
            assert twin in near
            assert f"{jaccard(cut[id_], cut[twin]):.3f}" in outcome.detail
            found += 1
        else:
            missed += bool(near)
            survivors.append(id_)
    assert found > 250
    assert found / (found + missed) >= RECALL


@pytest.mark.parametrize(
    "one, two",
    [
        ("Schreib ein Gedicht über den Frühling.", "  schreib ein GEDICHT über den frühling."),
        ("请写一首关于春天的短诗。", "请写一首关于春天的短诗！"),
        ("ＡＢＣ ｄｅｆｇ", "abc defg"),
        ("اكتب قصيدة قصيرة عن الربيع", "اكتب قصيدة قصيرة عن الربيع."),
        ("จงเขียนบทกวีสั้นๆเกี่ยวกับฤดูใบไม้ผลิ", "จงเขียนบทกวีสั้นๆเกี่ยวกับฤดูใบไม้ผลิ."),
        ("x", "X"),
    ],
)
def test_the_second_of_two_near_texts_is_dropped_in_every_script(one, two):
    first, other, drop = settle(PASS, rows([one, "Etwas ganz anderes bitte", two]))
    assert (first.id, other.id) == ("r0", "r1")
    assert isinstance(drop, Drop)
    assert drop.reason == "near_duplicate"
    assert drop.detail.endswith("with r0")


def test_one_line_of_a_shared_template_with_other_words_is_kept():
    template = "Write a letter to {} about {}."
    texts = [
        template.format("your aunt", "glaciers"),
        template.format("the mayor", "noise at night"),
    ]
    assert kept(settle(PASS, rows(texts))) == ["r0", "r1"]


def test_what_was_dropped_draws_no_others_with_it():
    words = [f"wort{n}" for n in range(12)]
    chain = [
        " ".join(words),
        " ".join([*words[:-1], "xxxxxx"]),
        " ".join([*words[:-2], "y", "xxxxxx"]),
    ]
    cut = [shingles(text) for text in chain]
    near = [jaccard(cut[0], cut[1]), jaccard(cut[1], cut[2])]
    assert min(near) >= 0.78 > jaccard(cut[0], cut[2])
    assert kept(settle(PASS, rows(chain), threshold=0.78)) == ["r0", "r2"]


def test_earlier_rounds_come_first():
    (drop,) = settle(PASS, rows(["Zähle bis zehn!"]), rows(["zähle bis zehn!"], "old"))
    assert isinstance(drop, Drop)
    assert drop.detail == "Jaccard 1.000 with old0"


def test_the_response_or_both_are_compared_where_asked():
    records = [
        replace(seed("Frage eins ist hier", response="Die Antwort lautet ja."), id="a"),
        replace(seed("Eine ganz andere zweite", response="Die Antwort lautet ja."), id="b"),
        replace(seed("Frage eins ist hier", response="Nein, wirklich nicht, niemals."), id="c"),
        replace(seed("Frage eins ist hier", response="Die Antwort lautet ja."), id="d"),
    ]
    assert kept(settle(PASS, records)) == ["a", "b"]
    assert kept(settle(PASS, records, field="response")) == ["a", "c"]
    assert kept(settle(PASS, records, field="both")) == ["a", "b", "c"]


def test_empty_texts_are_kept_even_when_everything_is_empty():
    assert len(kept(settle(PASS, rows(["", " \n", ""]), field="both"))) == 3


def test_half_a_surrogate_pair_is_no_obstacle():
    assert kept(settle(PASS, rows(["kaputt \ud83d hier", "kaputt \ud83d hier"]))) == ["r0"]


def test_the_same_records_give_the_same_outcomes():
    texts = planted(300, random.Random(8))
    assert settle(PASS, rows(texts)) == settle(PASS, iter(rows(texts)))


def test_outcomes_come_one_by_one_as_records_arrive():
    def arriving():
        yield rows(["first"])[0]
        raise AssertionError("asked for a second record before the first outcome was taken")

    assert next(PASS.settle(arriving(), iter(()), Desk(Params(), "pass", "1"))).id == "r0"


def test_ten_thousand_equal_rows_leave_one():
    assert kept(settle(PASS, rows(["Schreib ein Gedicht über den Frühling."] * 10_000))) == ["r0"]


def test_no_records_are_no_outcomes():
    assert settle(PASS, []) == []
    assert settle(PASS, [], rows(["schon da"])) == []


@pytest.mark.parametrize(
    "text",
    [
        "ein NUL\0 mittendrin, nicht am Ende",
        "\u202bاكتب قصيدة قصيرة عن الربيع\u202c\u200f",
        "एक छोटी कविता वसंत पर लिखो",
        "Andika shairi fupi kuhusu majira ya kuchipua",
    ],
)
def test_odd_signs_are_characters_like_any(text):
    assert kept(settle(PASS, rows([text, "etwas anderes", f" {text} "]))) == ["r0", "r1"]


def test_outcomes_do_not_depend_on_where_earlier_rounds_end():
    texts = planted(1500, random.Random(10))
    whole = kept(settle(PASS, rows(texts)))
    first = [outcome for outcome in settle(PASS, rows(texts)[:600]) if isinstance(outcome, Record)]
    then = kept(settle(PASS, rows(texts)[600:], first))
    assert [record.id for record in first] + then == whole


@pytest.mark.slow
def test_a_megabyte_is_compared_with_short_texts_and_with_itself():
    rng = random.Random(9)
    long = " ".join(str(rng.getrandbits(30)) for _ in range(100_000))
    assert kept(settle(PASS, rows(["kurz", long, "kurz und gut", long + " x"]))) == [
        "r0",
        "r1",
        "r2",
    ]


def test_more_bands_than_hashes_are_refused():
    with pytest.raises(ValidationError, match="more than num_perm"):
        Params(num_perm=8, bands=9)
