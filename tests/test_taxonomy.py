"""Taxonomy files become trees; mistakes in them are one line with a place."""

import random
from collections import Counter

import networkx as nx
import pytest

from engine.core import JobError
from engine.taxonomy import draw, leaves, load, names, shipped


def tree(tmp_path, text):
    path = tmp_path / "tree.yaml"
    path.write_text(text, encoding="utf-8")
    return load(path)


def test_leaves_come_in_the_order_of_the_file(tmp_path):
    made = tree(tmp_path, "b:\n  children:\n    z:\n    a:\nc: [y, x]\na:\n")
    assert list(leaves(made)) == ["b/z", "b/a", "c/y", "c/x", "a"]
    assert nx.is_arborescence(made)


def test_names_fall_back_from_script_to_language_to_english_to_key(tmp_path):
    made = tree(
        tmp_path,
        "life:\n  names: {en: Life, zh: 生命}\n"
        "  children:\n    sea_birds: {names: {no: Sjøfugl}}\n",
    )
    assert names(made, "life/sea_birds", "zh-Hans") == ["生命", "sea birds"]
    assert names(made, "life/sea_birds", "fr") == ["Life", "sea birds"]
    assert names(made, "life/sea_birds", "no") == ["Life", "Sjøfugl"]  # YAML's no is not false


def test_weights_decide_how_often_a_leaf_is_drawn(tmp_path):
    made = tree(tmp_path, "a: {weight: 9}\nb: [x, y]\n")
    drawn = Counter(draw(made, random.Random(seed)) for seed in range(2000))
    assert drawn.keys() == {"a", "b/x", "b/y"}
    assert 0.85 < drawn["a"] / 2000 < 0.95
    assert abs(drawn["b/x"] - drawn["b/y"]) < 60


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: {weight: -1}", "a/weight: Input should be greater than 0"),
        ("a: {wieght: 1}", "a/wieght: Extra inputs"),
        ("a:\na:\n", r":2:1: 'a' stands there twice"),
        ("a: [x, x]", r"\['x'\] stands there twice"),
        ("a: &t [x]\nb: *t\n", "no aliases"),
        ("a: [", r"tree.yaml:1:5"),
        ("a/b:\n", "pattern"),
        ("", "tree.yaml"),
        ("[]", "empty taxonomy"),
    ],
)
def test_a_mistake_says_where_it_is(tmp_path, text, said):
    with pytest.raises(JobError, match=said):
        tree(tmp_path, text)


def test_a_file_that_is_not_utf_8_is_a_mistake_of_the_job(tmp_path):
    (tmp_path / "t.yaml").write_bytes("ä:".encode("latin-1"))
    with pytest.raises(JobError, match="not a readable taxonomy"):
        load(tmp_path / "t.yaml")


def test_the_starter_tree_has_sixty_topics_each_with_four_different_scripts_of_names():
    path = shipped("topics")
    assert path is not None
    made = load(path)
    found = list(leaves(made))
    assert len(found) == 60
    for node in made:
        if node:
            assert made.nodes[node]["names"].keys() == {"en", "de", "es", "zh"}, node
    assert len({names(made, leaf, "zh")[-1] for leaf in found}) == 60


def test_an_unknown_shipped_tree_is_none():
    assert shipped("no_such_tree") is None
