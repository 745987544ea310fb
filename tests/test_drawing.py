from __future__ import annotations

from pathlib import Path

from engine import drawing
from engine.session import load
from engine.wiring import wire

JOB = """\
version: 1
job: loops
models: {writer: {use: rehearsal}}
source: {use: pool, with: {path: SEEDS, grow_from: novel}}
steps:
  invent: {use: self_instruct}
  novel: {use: rouge_novelty}
  end: {use: length}
target: {accepted: 5}
sink: [{use: parquet}, {use: jsonl}]
"""


def test_a_picture_follows_the_records_from_source_to_sink() -> None:
    wiring = wire(load("quickstart"))
    picture = drawing.job(wiring)
    for name in (*wiring.sources, *wiring.steps):
        assert f'"{name}<br/>' in picture
    assert picture.count(" --> ") == wiring.follows.number_of_edges() + 1  # one to the sink
    assert picture.count("next round") == 1
    assert picture.count("subgraph") == picture.count("    end\n")


def test_names_that_mermaid_knows_are_only_labels_and_every_sink_is_reached(tmp_path: Path) -> None:
    seeds = tmp_path / "s.jsonl"
    seeds.write_text('{"instruction": "x", "language": "de"}\n', encoding="utf-8")
    (tmp_path / "job.yaml").write_text(JOB.replace("SEEDS", str(seeds)), encoding="utf-8")
    picture = drawing.job(wire(load(tmp_path / "job.yaml")))
    assert '["end<br/>filter length"]' in picture
    assert "end[" not in picture  # a step called `end` is no keyword: ids are numbers
    assert picture.count(" --> sink") == 2


def test_each_generator_is_drawn_from_the_graph_that_it_runs() -> None:
    drawn = drawing.generators(wire(load("quickstart")))
    assert drawn.keys() == {"invent", "instances", "reverse"}
    assert "propose --> parse" in drawn["invent"]
    assert all("__end__" in picture for picture in drawn.values())
    page = drawing.page(wire(load("quickstart")))
    assert page.count("```mermaid\n") == page.count("\n```\n") == 4
