"""A job against the parts, models, prompts and files that it names."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine import job as jobs
from engine import shipped
from engine.core import JobError
from engine.plan import SINK
from engine.wiring import Wiring, fingerprint, plan, wire

JOB = """\
version: 1
job: demo
seed: 3
models:
  writer: {use: rehearsal}
source:
  use: jsonl
  with: {path: tasks.jsonl, language: de}
steps:
  evolve:
    use: evol_instruct
    with: {rounds: 1}
  length: {use: length}
  unique: {use: near_duplicate}
  halves: {use: split}
  last: {use: format}
target: {accepted: 3}
sink: {use: parquet}
"""
JSONL = "  use: jsonl\n  with: {path: tasks.jsonl, language: de}"
POOL = "  use: pool\n  with: {path: tasks.jsonl, language: de, grow_from: unique}"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "tasks.jsonl").write_text('{"instruction": "Nenne drei Flüsse."}\n')
    return tmp_path


def wired(folder: Path, text: str = JOB, *changes: str) -> Wiring:
    file = folder / "job.yaml"
    file.write_text(text, encoding="utf-8")
    return wire(jobs.load(file, changes, {}))


def refused(folder: Path, text: str = JOB, *changes: str) -> str:
    with pytest.raises(JobError) as caught:
        wired(folder, text, *changes)
    said = str(caught.value)
    assert "\n" not in said
    return said.replace(f"{folder}/", "")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        # parts
        ("evol_instruct", "evol_instuct", "11:10: steps.evolve.use: no generator, filter, verifie"),
        ("evol_instruct", "evol_instuct", "did you mean 'evol_instruct'?"),
        ("evol_instruct", "jsonl", "11:10: steps.evolve.use: 'jsonl' is a source; here stands a"),
        ("evol_instruct", "zzz", "a module of your own has a dotted name"),
        ("evol_instruct", "no.such", "11:10: steps.evolve.use: no module 'no.such' in"),
        ("use: jsonl", "use: jsnol", "7:8: source.use: no source is called 'jsnol'; did you mean"),
        ("parquet", "parqet", "18:13: sink.use: no sink is called 'parqet'; did you mean 'parquet"),
        # settings
        ("rounds: 1", "round: 1", "12:12: steps.evolve.with.round: unknown key 'round'; did you"),
        ("rounds: 1", "rounds: x", "12:20: steps.evolve.with.rounds: want a whole number, found"),
        ("rounds: 1", "rounds: 0", "12:20: steps.evolve.with.rounds: want 1 or more, found 0"),
        ("rounds: 1", "schedule: rotat", "12:22: steps.evolve.with.schedule: want 'random' or"),
        ("rounds: 1", "schedule: rotat", "found 'rotat'; did you mean 'rotate'?"),
        ("rounds: 1", "operators: deepen", "12:23: steps.evolve.with.operators: want a list, foun"),
        ("rounds: 1", "operators: [deepen, x]", "12:32: steps.evolve.with.operators.1: want 'add_"),
        ("rounds: 1", "operators: []", "12:23: steps.evolve.with.operators: want at least 1 of"),
        ("path: tasks", "paht: tasks", "8:10: source.with.paht: unknown key 'paht'; did you mean"),
        ("path: tasks.jsonl, ", "", "8:9: source.with.path: is missing"),
        ("  with: {path: tasks.jsonl, language: de}\n", "", "7:3: source.with.path: is missing"),
        ("tasks.jsonl", "taks.jsonl", "8:16: source.with.path: there is no taks.jsonl"),
        (", language: de", "", "8:9: source.with: give either language (e.g. de) or"),
        ("sink: {use: parquet}", "sink: [{use: jsonl, with: {format: alpca}}]", "18:36: sink.0.wi"),
        # the order of steps
        ("with: {rounds: 1}", "from: last", "12:11: steps.evolve.from: the steps form a circle: "),
        ("with: {rounds: 1}", "from: last", "evolve -> length -> unique -> halves -> last -> evol"),
        ("{use: length}", "{use: length, from: length}", "13:31: steps.length.from: the steps for"),
        # models
        ("with: {rounds: 1}", "models: {wirter: writer}", "12:14: steps.evolve.models.wirter: evo"),
        ("with: {rounds: 1}", "models: {wirter: writer}", "no role 'wirter'; did you mean 'writer"),
        ("{use: length}", "{use: length, models: {judge: writer}}", "13:34: steps.length.models.j"),
        ("{use: length}", "{use: length, models: {judge: writer}}", "it asks no model"),
        ("  writer: {use: rehearsal}", "  a: {use: rehearsal}\n  b: {use: rehearsal}", "has no mo"),
        # sources
        (JSONL, POOL.replace("unique", "uniqe"), "8:54: source.with.grow_from: no step is called "),
        (JSONL, POOL.replace("unique", "uniqe"), "did you mean 'unique'?"),
        (JSONL, POOL.replace("unique", "source"), "no step is called 'source'"),
        (JSONL, POOL.replace("unique", "evolve"), "8:54: source.with.grow_from: records stream on"),
    ],
)  # fmt: skip
def test_a_mistake_is_one_line_with_its_place_and_the_right_word(folder, old, new, said):
    assert old in JOB
    assert said in refused(folder, JOB.replace(old, new, 1))


def test_a_mistake_in_an_override_of_a_setting_names_the_override(folder):
    said = refused(folder, JOB, "steps.evolve.with.round=2")
    assert said.startswith("--set steps.evolve.with.round=2: steps.evolve.with.round: unknown key")
    said = refused(folder, JOB, "steps.length.use=lenth")
    assert said.startswith("--set steps.length.use=lenth: steps.length.use: no generator")
    assert refused(folder, JOB, "source.with.path=no.jsonl").startswith("--set source.with.path=")


def test_a_source_that_nobody_reads_is_told_where_it_stands(folder):
    one = "- {name: a, use: jsonl, with: {path: tasks.jsonl, language: de}}\n"
    text = JOB.replace(JSONL + "\n", one + one.replace("name: a", "name: b"))
    text = text.replace("    with: {rounds: 1}", "    from: a")
    assert "8:3: source.1: no step reads from the source 'b'" in refused(folder, text)


def test_an_endless_source_needs_a_target(folder):
    text = JOB.replace(JSONL, POOL).replace("{accepted: 3}", "{}")
    assert "17:9: target: the source 'source' never ends: give target.accepted" in refused(
        folder, text
    )
    assert wired(folder, text, "target.candidates=5")


PROMPT = shipped.folder("prompts") / "evol_instruct" / "deepen.j2"


def own_prompt(folder: Path, text: str, name: str = "evol_instruct/deepen.j2") -> None:
    path = folder / "prompts" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


@pytest.mark.parametrize("name", ["evol_instruct/deepen.j2", "evol_instruct/deepen.sw.j2"])
def test_a_prompt_of_the_jobs_own_must_take_what_the_step_gives_it(folder, name):
    own_prompt(folder, '---\npurpose: x\ninputs: [topic]\n---\n{% turn "user" %}{{ topic }}', name)
    assert "steps.evolve.use" in refused(folder)  # endturn is missing
    turn = '{% turn "user" %}{{ topic }}{% endturn %}\n'
    own_prompt(folder, "---\npurpose: x\ninputs: [topic]\n---\n" + turn, name)
    said = refused(folder)
    assert "evol_instruct/deepen takes the inputs topic, but is given " in said
    assert said.startswith("job.yaml:11:10: steps.evolve.use: ")


def test_a_variant_of_a_prompt_may_not_ask_another_role(folder):
    text = PROMPT.read_text(encoding="utf-8")
    assert "role: writer" in text
    own_prompt(folder, text)
    own_prompt(folder, text.replace("role: writer", "role: judge"), "evol_instruct/deepen.sw.j2")
    assert "has the role judge, the plain one writer" in refused(folder)


def test_a_prompt_whose_header_and_body_disagree_is_named_with_both(folder):
    text = PROMPT.read_text(encoding="utf-8").replace("{{ instruction }}", "{{ instructoin }}")
    own_prompt(folder, text)
    said = refused(folder)
    assert "deepen.j2" in said
    assert "instructoin" in said


def test_a_missing_prompt_is_named(folder):
    (folder / "mine").mkdir()
    (folder / "mine" / "asking.py").write_text(
        "from engine.generators.evol_instruct import GENERATOR as G\n"
        "from engine.kit import Generator\n"
        "from engine.prompting import Prompt\n"
        "GENERATOR = Generator(G.graph, G.params, (Prompt('mine/nowhere', reply=str),))\n"
    )
    said = refused(folder, JOB.replace("evol_instruct", "mine.asking"))
    assert said.startswith("job.yaml:11:10: steps.evolve.use: no prompt 'mine/nowhere'")


def test_stages_alternate_between_what_streams_and_passes(folder):
    wiring = wired(folder)
    assert wiring.stages == [["evolve", "length"], ["unique"], ["halves"], ["last"]]
    assert wiring.after()["source"] == ("evolve",)
    assert wiring.after()["last"] == (SINK,)


def test_roles_go_to_the_model_of_their_name_or_to_the_only_one(folder):
    assert set(wired(folder).roles["evolve"].values()) == {"writer"}
    two = "  writer: {use: rehearsal}\n  judge: {use: rehearsal}\n  third: {use: rehearsal}"
    wiring = wired(folder, JOB.replace("  writer: {use: rehearsal}", two))
    assert wiring.roles["evolve"] == {"writer": "writer", "judge": "judge"}
    assert wiring.models_used() == ["writer", "judge"]


def test_the_plan_has_the_stages_feeds_and_limits_of_the_job(folder):
    wiring = wired(folder, JOB + "run: {in_flight: 7, deadline: 1h}\n")
    made = plan(wiring, {"writer": None})  # type: ignore[dict-item]
    assert [(sorted(s.steps), s.name) for s in made.stages] == [
        (["evolve", "length"], ""),
        ([], "unique"),
        ([], "halves"),
        (["last"], ""),
    ]
    assert (made.limits.in_flight, made.limits.deadline_s, made.target.accepted) == (7, 3600, 3)
    assert [feed.name for feed in made.feeds] == ["source"]
    assert made.stage_of("halves") == 2


# -- the fingerprint ----------------------------------------------------------------------------


def changed(folder: Path, text: str = JOB, who: str = "m") -> set[str]:
    """The names in which a job differs from ``JOB`` as it was before ``folder`` was edited."""
    before = folder / "before"
    if not before.exists():
        before.mkdir()
        (before / "tasks.jsonl").write_text('{"instruction": "Nenne drei Flüsse."}\n')
    old, new = fingerprint(wired(before), {"writer": "m"}), fingerprint(
        wired(folder, text), {"writer": who}
    )  # fmt: skip
    return {name for name in old | new if old.get(name) != new.get(name)}


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("sink: {use: parquet}", "sink: {use: jsonl, with: {format: alpaca}}"),
        ("sink: {use: parquet}", "run: {in_flight: 3, deadline: 8h, max_error_rate: 0.5}"),
        ("{use: rehearsal}", "{url: 'http://x/v1', model: m, api_key: k, max_concurrent: 3}"),
        ("seed: 3", "seed: 3  # a remark"),
    ],
)
def test_how_a_job_is_run_and_written_is_no_part_of_its_fingerprint(folder, old, new):
    assert changed(folder, JOB.replace(old, new)) == set()


@pytest.mark.parametrize(
    ("old", "new", "names"),
    [
        ("seed: 3", "seed: 4", {"seed"}),
        ("rounds: 1", "rounds: 2", {"steps.evolve.with.rounds"}),
        ("{use: length}", "{use: repetition}", {"steps.length.use"}),
        ("language: de", "language: sw", {"source.with.language"}),
        ("accepted: 3", "accepted: 4", {"target.accepted"}),
        ("job: demo", "job: other", {"job"}),
    ],
)
def test_what_decides_the_records_is_named_when_it_changes(folder, old, new, names):
    assert changed(folder, JOB.replace(old, new)) == names


def test_another_model_or_sampling_is_named(folder):
    assert changed(folder, who='m {"temperature":0.2}') == {"models.writer"}


def test_an_edited_seed_file_is_named(folder):
    (folder / "tasks.jsonl").write_text('{"instruction": "Nenne vier Flüsse."}\n')
    assert changed(folder) == {"source.path (content)"}


def test_an_edited_prompt_and_a_new_variant_are_named(folder):
    own_prompt(folder, PROMPT.read_text(encoding="utf-8") + "{# an edit #}\n")
    assert changed(folder) == {"prompts.evol_instruct/deepen"}
    own_prompt(folder, PROMPT.read_text(encoding="utf-8"))
    assert changed(folder) == set()
    own_prompt(folder, PROMPT.read_text(encoding="utf-8") + "\n", "evol_instruct/deepen.sw.j2")
    assert changed(folder) == {"prompts.evol_instruct/deepen"}


def test_a_fingerprint_is_text_and_the_same_at_every_start(folder):
    first, second = (fingerprint(wired(folder), {"writer": "m"}) for _ in range(2))
    assert first == second
    assert all(isinstance(value, str) for value in first.values())
