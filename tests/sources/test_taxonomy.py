"""A taxonomy gives a seed for each leaf, or as many as are drawn."""

from collections import Counter

import pytest
from pydantic import ValidationError

from engine.sources.taxonomy import SOURCE
from tests.conftest import read

TREE = "science:\n  names: {en: Science, de: Wissenschaft}\n  children: [physics, biology]\nart:\n"


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "tree.yaml").write_text(TREE)
    return tmp_path


def test_each_leaf_is_a_seed_with_its_path_and_its_names(folder):
    found = list(read(SOURCE, folder, path="tree.yaml", language="de", licence="MIT"))
    assert [record.facts["topic"] for record in found] == [
        "science/physics",
        "science/biology",
        "art",
    ]
    assert found[0].facts["names"] == ["Wissenschaft", "physics"]
    assert (found[0].facts["source"], found[0].facts["licence"]) == ("source", "MIT")
    assert found[0].language == "de" and found[0].messages == ()


def test_a_leaf_may_give_several_seeds_of_different_ids(folder):
    found = list(read(SOURCE, folder, path="tree.yaml", language="de", per_leaf=3))
    assert Counter(record.facts["topic"] for record in found)["art"] == 3
    assert len({record.id for record in found}) == 9


def test_draws_are_the_same_at_every_start_and_a_shorter_run_is_the_beginning_of_a_longer(folder):
    def drawn(draws):
        found = read(SOURCE, folder, path="tree.yaml", language="de", draws=draws)
        return [(record.id, record.facts["topic"]) for record in found]

    assert drawn(50)[:20] == drawn(20)
    assert len({id for id, _ in drawn(50)}) == 50
    assert {topic for _, topic in drawn(50)} == {"science/physics", "science/biology", "art"}


def test_the_starter_tree_is_found_by_name(folder):
    found = list(read(SOURCE, folder, path="topics", language="zh-Hans"))
    assert len(found) == 60
    assert found[0].facts["names"] == ["科学", "物理学"]


def test_settings_that_cannot_work_are_refused(folder):
    for params, said in (
        ({"path": "tree.yml", "language": "de"}, "there is no taxonomy tree.yml"),
        ({"path": "tree.yaml"}, "language"),
        ({"path": "tree.yaml", "language": ""}, "language"),
        ({"path": "tree.yaml", "language": "de", "draws": 3, "per_leaf": 2}, "not both"),
    ):
        with pytest.raises(ValidationError, match=said):
            read(SOURCE, folder, **params)
