"""A taxonomy gives a seed for each leaf, or as many as are drawn, in the order of coverage."""

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
    by_topic = {record.facts["topic"]: record for record in found}
    assert by_topic.keys() == {"science/physics", "science/biology", "art"} and len(found) == 3
    physics = by_topic["science/physics"]
    assert physics.facts["names"] == ["Wissenschaft", "physics"]
    assert (physics.facts["source"], physics.facts["licence"]) == ("source", "MIT")
    assert physics.language == "de" and physics.messages == ()


def test_branches_alternate_and_no_leaf_comes_again_before_all_have_come(folder):
    found = read(SOURCE, folder, path="tree.yaml", language="de", per_leaf=3)
    order = [(record.facts["topic"], record.facts["take"]) for record in found]
    assert [take for _, take in order] == [0] * 3 + [1] * 3 + [2] * 3
    assert [topic for topic, _ in order][1::3] == ["art"] * 3


def test_draws_follow_the_weights_and_other_seeds_do_not(folder):
    (folder / "tree.yaml").write_text("a: {weight: 3}\nb: [c]\n")
    draws = read(SOURCE, folder, path="tree.yaml", language="de", draws=40)
    assert Counter(record.facts["topic"] for record in draws) == {"a": 30, "b/c": 10}
    even = read(SOURCE, folder, path="tree.yaml", language="de", per_leaf=20)
    assert Counter(record.facts["topic"] for record in even) == {"a": 20, "b/c": 20}


def test_the_tree_of_knowledge_is_covered_field_by_field(folder):
    found = list(read(SOURCE, folder, path="knowledge", language="sw"))
    topics = [record.facts["topic"] for record in found]
    assert len(set(topics)) == len(topics) >= 126
    assert len({topic.split("/")[0] for topic in topics[:14]}) == 11
    [law] = [record for record in found if record.facts["topic"].endswith("/criminal_law")]
    assert law.facts["names"] == ["Sheria", "Sheria ya umma", "Sheria ya jinai"]


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
    assert ["科学", "物理学"] in [record.facts["names"] for record in found]


def test_settings_that_cannot_work_are_refused(folder):
    for params, said in (
        ({"path": "tree.yml", "language": "de"}, "there is no taxonomy tree.yml"),
        ({"path": "tree.yaml"}, "language"),
        ({"path": "tree.yaml", "language": ""}, "language"),
        ({"path": "tree.yaml", "language": "de", "draws": 3, "per_leaf": 2}, "not both"),
    ):
        with pytest.raises(ValidationError, match=said):
            read(SOURCE, folder, **params)
