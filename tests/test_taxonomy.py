"""Taxonomy files become trees; mistakes in them are one line with a place; walks cover them."""

import random
import unicodedata
from collections import Counter
from itertools import islice

import networkx as nx
import pytest
import regex
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.core import JobError
from engine.taxonomy import ROOT, covering, leaves, load, names, shares, shipped

TAGS = {"ar", "de", "en", "es", "fr", "hi", "sw", "th", "zh"}
SCRIPTS = {"ar": r"\p{Arabic}", "hi": r"\p{Devanagari}", "th": r"\p{Thai}", "zh": r"\p{Han}"}


def tree(tmp_path, text):
    path = tmp_path / "tree.yaml"
    path.write_text(text, encoding="utf-8")
    return load(path)


def walked(made, count, seed=0, **more):
    return list(islice(covering(made, random.Random(seed), **more), count))


def knowledge():
    path = shipped("knowledge")
    assert path is not None
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


# -- mistakes -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a:\n  weight: -1", r"tree.yaml:2:11: weight is '-1', want a number from 0.001 to 1000"),
        ("a: {weight: heavy}", r":1:13: weight is 'heavy', want a number"),
        ("a: {weight: nan}", "want a number"),
        ("a: {weight: [1]}", "weight is 'a structure', want a number"),
        ("a:\n  wieght: 1", r":2:3: 'wieght' is nothing .*did you mean 'weight'\?"),
        ("a:\n  name: {en: A}", r":2:3: .*did you mean 'names'\?"),
        ("a:\n  physics:\n    names: {en: Physics}", "branches go under `children:`"),
        ("a:\n  names: Physics", r":2:10: names are given by language, such as \{en: "),
        ("a:\n  names: {en: ''}", r":2:15: the name in 'en' is a text, not empty"),
        ("a:\n  names: {en: [x]}", "the name in 'en' is a text, .* found a structure"),
        ("a:\n  names: {en: A, en: B}", r":2:18: 'en' stands there twice"),
        ("a:\na:\n", r":2:1: 'a' stands there twice"),
        ("a: [x, x]", r":1:8: 'x' stands there twice"),
        ("a: {weight: 1, weight: 2}", "'weight' stands there twice"),
        ("a: [[x]]", r":1:5: a branch is called by a word.* found a structure"),
        ("a: physics", r":1:4: 'physics' is no branches: want `name:` lines or a list"),
        ("a: {children: physics}", r":1:15: 'physics' is no branches"),
        ("a: &t [x]\nb: *t\n", "no aliases"),
        ("a: [", r"tree.yaml:1:5"),
        ("a/b:\n", r":1:1: a branch is called by a word, not empty and without /; found 'a/b'"),
        ("a:\n b:\n   c\n  d: x", r"tree.yaml:\d+:\d+: "),
        ("", "empty taxonomy"),
        ("[]", "empty taxonomy"),
        ("just a sentence", "'just a sentence' is no branches"),
        ("- a\n" + "".join(f"{'  ' * n}- \n" for n in range(3)), r"not empty and without /"),
        ("{children: " * 150 + "x" + "}" * 150, "levels deep"),
        ("a: " + "[" * 800, "not a readable taxonomy"),
    ],
)
def test_a_mistake_says_where_it_is_and_what_would_be_right(tmp_path, text, said):
    with pytest.raises(JobError, match=said) as found:
        tree(tmp_path, text)
    assert "\n" not in str(found.value)


def test_a_file_that_is_not_utf_8_is_a_mistake_of_the_job(tmp_path):
    (tmp_path / "t.yaml").write_bytes("ä:".encode("latin-1"))
    with pytest.raises(JobError, match="not a readable taxonomy"):
        load(tmp_path / "t.yaml")


# -- coverage -----------------------------------------------------------------------------------


def test_no_discipline_starves_whatever_the_seed():
    made = knowledge()
    found = list(leaves(made))
    for seed in range(5):
        order = walked(made, 3 * len(found), seed)
        for turns in (1, 2, 3):
            histogram = Counter(order[: turns * len(found)])
            assert histogram == dict.fromkeys(found, turns)
        assert order != walked(made, 3 * len(found), seed + 1)
        assert order == walked(made, 3 * len(found), seed)


def test_every_beginning_of_a_walk_is_even_over_fields_and_sub_fields():
    made = knowledge()
    total, order, so_far = len(list(leaves(made))), walked(knowledge(), 308), Counter[str]()
    due = shares(made)
    for count, leaf in enumerate(order, start=1):
        so_far.update(node for node in nx.ancestors(made, leaf) if node != ROOT)
        for field in made.successors(ROOT):
            assert abs(so_far[field] - count * due[field] / total) < 1.5, (count, field)
    assert len({leaf.split("/")[0] for leaf in order[:14]}) == 11, "each field early on"


def test_a_first_leaf_is_any_of_its_branch_as_often_as_another(tmp_path):
    made = tree(tmp_path, "a: [p, q, r, s]\nb: [x, y]\n")
    first = Counter(walked(made, 1, seed)[0] for seed in range(2000))
    assert first.keys() == {"a/p", "a/q", "a/r", "a/s"}, "the larger branch begins"
    chi_square = sum((seen - 500) ** 2 / 500 for seen in first.values())
    assert chi_square < 16.3, "p = 0.001 at 3 degrees of freedom"


def test_weights_decide_how_often_a_leaf_is_drawn(tmp_path):
    made = tree(tmp_path, "a: {weight: 2, children: {x: , y: {weight: 3}}}\nb: [z]\nc:\n")
    assert shares(made) == {"": 10, "a": 8, "a/x": 2, "a/y": 6, "b": 1, "b/z": 1, "c": 1}
    assert Counter(walked(made, 1000)) == {"a/x": 200, "a/y": 600, "b/z": 100, "c": 100}
    even = Counter(walked(made, 1000, weighted=False))
    assert even == {"a/x": 250, "a/y": 250, "b/z": 250, "c": 250}


@settings(max_examples=60, deadline=None)
@given(
    st.recursive(st.none(), lambda inner: st.lists(inner, min_size=1, max_size=4)), st.integers()
)
def test_any_tree_is_covered_once_in_each_turn(shape, seed):
    made = nx.DiGraph()
    made.add_node(ROOT, weight=1.0)

    def grow(path, below):
        for at, inner in enumerate(below or ()):
            child = f"{path}/{at}" if path else str(at)
            made.add_node(child, weight=1.0)
            made.add_edge(path, child)
            grow(child, inner)

    grow(ROOT, shape)
    found = list(leaves(made))
    order = walked(made, 2 * len(found), seed)
    assert sorted(order[: len(found)]) == sorted(order[len(found) :]) == sorted(found)


# -- the trees that come with the engine --------------------------------------------------------


def test_the_tree_of_knowledge_has_three_levels_and_126_disciplines_or_more():
    made = knowledge()
    found = list(leaves(made))
    assert len(found) >= 126, "as many as GLAN has"
    assert {leaf.count("/") for leaf in found} == {2}, "field / sub-field / discipline"
    assert len({leaf.rsplit("/", 1)[1] for leaf in found}) == len(found)
    for branch in {leaf.rsplit("/", 1)[0] for leaf in found}:
        assert 2 <= made.out_degree(branch) <= 8, branch
    assert 10 <= made.out_degree(ROOT) <= 12


@pytest.mark.parametrize("tag", sorted(TAGS))
def test_every_node_of_knowledge_has_a_name_of_its_own_in_the_scripts_of_its_languages(tag):
    made = knowledge()
    nodes = [node for node in made if node != ROOT]
    named = [made.nodes[node]["names"] for node in nodes]
    assert all(each.keys() == TAGS for each in named)
    script = regex.compile(SCRIPTS.get(tag, r"\p{Latin}"))
    letters = [letter for each in named for letter in each[tag] if letter.isalpha()]
    assert all(script.match(letter) for letter in letters)
    assert all(unicodedata.is_normalized("NFC", each[tag]) for each in named)
    found = Counter(names(made, leaf, tag)[-1] for leaf in leaves(made))
    assert max(found.values()) == 1, found.most_common(1)


def test_an_english_name_of_knowledge_is_what_its_key_says():
    made = knowledge()
    for node in made:
        if node != ROOT:
            english = made.nodes[node]["names"]["en"].lower()
            assert regex.sub(r"[^a-z]+", "_", english) == made.nodes[node]["key"]


def test_the_starter_tree_has_sixty_topics_each_with_names_in_eight_languages():
    path = shipped("topics")
    assert path is not None
    made = load(path)
    found, tags = list(leaves(made)), {"en", "de", "es", "zh", "ar", "hi", "th", "sw"}
    assert len(found) == 60
    for node in made:
        if node:
            assert made.nodes[node]["names"].keys() == tags, node
    for tag in tags:
        assert len({names(made, leaf, tag)[-1] for leaf in found}) == 60


def test_every_category_of_tags_has_a_name_of_its_own_in_nine_languages():
    path = shipped("subject_tags")
    assert path is not None
    made, tags = load(path), {"en", "de", "es", "fr", "zh", "ar", "hi", "th", "sw"}
    nodes = [node for node in made if node != ROOT]
    assert all(made.nodes[node]["names"].keys() == tags for node in nodes)
    for tag in tags:
        assert len({names(made, node, tag)[-1].casefold() for node in nodes}) == len(nodes)


def test_an_unknown_shipped_tree_is_none():
    assert shipped("no_such_tree") is None
