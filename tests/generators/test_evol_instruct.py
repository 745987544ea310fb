import json
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_args

import pytest

import engine
from engine.core import Drop, JobError, Outcome, Record
from engine.generators.evol_instruct import FORMATS, GENERATOR, Operator
from engine.models.chat import Reply, Request
from engine.prompting import Library
from engine.text.leftovers import names_label
from tests.conftest import SHARED, Bind, needs_shared, seed

OPERATORS = get_args(Operator)
REPLIES = sorted((Path(__file__).parent / "replies" / "evol_instruct").glob("*.txt"))
DIFFERENT, EQUAL = '{"different": true}', '{"different": false}'
GOOD = "Eine Antwort, die etwas sagt und die niemand bedauert."


def script(evolved: Any, judge: Any = DIFFERENT, answer: Any = GOOD) -> Mapping[str, Any]:
    operators = {f"evol_instruct/{name}": evolved for name in OPERATORS}
    return {**operators, "evol_instruct/judge": judge, "evol_instruct/answer": answer}


def harder(request: Request) -> str:
    return f"{request.inputs['instruction']} Und mehr."


def told(outcome: Outcome) -> str:
    if isinstance(outcome, Drop):
        return f"{outcome.reason} | {outcome.record.last('user')}".strip()
    return f"keep | {outcome.last('user')}"


def written(path: Path) -> tuple[str, str, str]:
    """The parent, what a model made of it, and what must become of that."""
    given, _, expected = path.read_text(encoding="utf-8").partition("=== outcome\n")
    parent, _, evolved = given.partition("\n=== evolved\n")
    return parent.removeprefix("parent: "), evolved, expected.strip()


def drops(outcomes: Any) -> list[str]:
    return [outcome.reason for outcome in outcomes if isinstance(outcome, Drop)]


def kept(outcomes: Any) -> list[Record]:
    return [outcome for outcome in outcomes if isinstance(outcome, Record)]


@pytest.mark.parametrize("path", REPLIES, ids=lambda path: path.stem)
async def test_rewrites_as_models_write_them_live_or_drop_by_rule(path: Path, bind: Bind):
    parent, evolved, expected = written(path)
    step, chat = bind(GENERATOR, script(evolved), rounds=1)
    outcome, *rest = await step(seed(parent, language=path.stem.split("_")[0]))
    assert told(outcome) == expected
    assert drops(rest) == ([] if isinstance(outcome, Record) else ["no_rewrite_survived"])
    assert len(chat.asked) == (3 if isinstance(outcome, Record) else 1), "cheap rules run first"


async def test_each_generation_is_a_record_with_its_own_answer(bind: Bind):
    step, chat = bind(GENERATOR, script(harder, answer=lambda r: f"Zu: {r.inputs['instruction']}"))
    outcomes = await step(seed("Nenne drei Flüsse."))
    assert [r.last("user") for r in kept(outcomes)] == [
        "Nenne drei Flüsse." + " Und mehr." * n for n in range(1, 5)
    ]
    assert all(r.last("assistant") == f"Zu: {r.last('user')}" for r in kept(outcomes))
    assert [r.facts["generation"] for r in kept(outcomes)] == [1, 2, 3, 4]
    assert kept(outcomes)[1].facts["parent_instruction"] == kept(outcomes)[0].last("user")
    assert {r.facts["growth_words"] for r in kept(outcomes)} == {2}
    assert len({r.id for r in kept(outcomes)}) == 4 and len(chat.asked) == 12


async def test_an_eliminated_child_sends_the_next_round_back_to_the_parent(bind: Bind):
    replies = iter(["Given prompt: A", "Nenne drei lange Flüsse.", "Given prompt: B", "Noch mehr."])
    step, chat = bind(GENERATOR, script(lambda r: next(replies)))
    outcomes = await step(seed("Nenne drei Flüsse."))
    shown = [
        r.inputs["instruction"] for r in chat.asked if "input" in r.inputs and r.form != "text"
    ]
    assert shown == ["Nenne drei Flüsse."] * 2 + ["Nenne drei lange Flüsse."] * 2
    assert [r.facts["generation"] for r in kept(outcomes)] == [1, 2]
    assert drops(outcomes) == ["label_leak"] * 2
    assert (
        len({r.id for r in kept(outcomes)} | {o.record.id for o in outcomes if isinstance(o, Drop)})
        == 4
    )


async def test_the_same_parent_is_not_asked_the_same_question_twice(bind: Bind):
    step, chat = bind(GENERATOR, script("Given prompt: A"), operators=["deepen"], rounds=3)
    await step(seed("Nenne drei Flüsse."))
    assert [r.take for r in chat.asked] == [0, 1, 2] and len({r.seed for r in chat.asked}) == 3


async def test_an_ancestor_that_comes_back_is_a_copy(bind: Bind):
    replies = iter(["Zwei", "eins!"])
    step, _ = bind(GENERATOR, script(lambda r: next(replies)), rounds=2)
    assert drops(await step(seed("Eins"))) == ["copied_parent"]


async def test_no_gain_is_decided_by_the_judge_before_an_answer_is_paid_for(bind: Bind):
    step, chat = bind(GENERATOR, script(harder, judge=EQUAL), rounds=2)
    assert drops(await step(seed("Nenne drei Flüsse."))) == [
        "no_gain", "no_gain", "no_rewrite_survived",
    ]  # fmt: skip
    assert not [r for r in chat.asked if r.prompt.startswith("evol_instruct/answer")]


async def test_a_judge_that_cannot_be_read_costs_one_child_and_not_the_family(bind: Bind):
    verdicts = iter([DIFFERENT, *["perhaps", '```json\n{"same": 1}\n```', "Sorry"]])
    step, _ = bind(GENERATOR, script(harder, judge=lambda r: next(verdicts)), rounds=2)
    outcomes = await step(seed("Nenne drei Flüsse."))
    assert len(kept(outcomes)) == 1 and drops(outcomes) == ["no_verdict"]


@pytest.mark.parametrize(
    "language, answer, reason",
    [
        ("en", "I am sorry, I do not know that.", "apology"),
        ("en", "Sorry. " + "Still here is one more word of the answer. " * 12, ""),
        ("sw", "Samahani, siwezi kujibu swali hili.", "apology"),
        ("sw", "I'm sorry, I only speak English.", "apology"),
        ("zh", "很抱歉，我无法回答。", "apology"),
        ("zh", "很抱歉。" + "但是这里有一个很长的回答" * 12, ""),
        ("hi", "क्षमा करें, मैं उत्तर नहीं दे सकता।", "apology"),
        ("ar", "عذرًا، لا أستطيع الإجابة.", "apology"),
        ("en", "... the of,", "empty_answer"),
        ("de", "", "empty_answer"),
        ("hi", "है।", "empty_answer"),
        ("zh", "的。", "empty_answer"),
        ("en", "42", ""),
        ("zh", "是的。", ""),
        ("en", "👍", ""),
    ],
)
async def test_answers_are_eliminated_by_rules_that_know_the_language(
    bind: Bind, language: str, answer: str, reason: str
):
    step, _ = bind(GENERATOR, script(harder, answer=answer), rounds=1)
    outcomes = await step(seed("Fluss 河 नदी", language=language))
    assert drops(outcomes) == ([reason, "no_rewrite_survived"] if reason else [])


async def test_what_the_token_limit_cut_does_not_survive(bind: Bind):
    cut = Reply("Nenne drei Flüsse, die", model="fake", truncated=True)
    step, _ = bind(GENERATOR, script(cut), rounds=1)
    assert "empty_rewrite" in drops(await step(seed("Nenne drei Flüsse.")))
    step, _ = bind(GENERATOR, script(harder, answer=cut), rounds=1)
    assert "cut_answer" in drops(await step(seed("Nenne drei Flüsse.")))


async def test_an_input_stays_with_its_instruction_until_breadth_leaves_it(bind: Bind):
    record = seed("Ordne ein.\n\nDer Hahn tropft.", input="Der Hahn tropft.")
    step, chat = bind(GENERATOR, script(harder), rounds=2, operators=["deepen"])
    for child in kept(await step(record)):
        assert child.last("user").endswith("Und mehr.\n\nDer Hahn tropft.")
        assert child.facts["input"] == "Der Hahn tropft."
    assert chat.asked[0].inputs["instruction"] == "Ordne ein."
    assert "Der Hahn tropft." in chat.asked[2].messages[-1].content
    step, chat = bind(GENERATOR, script("Etwas Neues?"), rounds=1, operators=["in_breadth"])
    [child] = kept(await step(record))
    assert (child.last("user"), child.facts["input"]) == ("Etwas Neues?", "")


async def test_operators_are_drawn_with_equal_odds(bind: Bind):
    step, chat = bind(GENERATOR, script("Given prompt"), rounds=1)
    for n in range(600):
        await step(Record(f"r{n}", "de", seed("Nenne drei Flüsse.").messages))
    drawn = Counter(r.prompt.partition("@")[0].partition("/")[2] for r in chat.asked)
    assert sum((drawn[name] - 100) ** 2 / 100 for name in OPERATORS) < 20.5  # chi-square, p 0.001


async def test_rotation_takes_every_operator_in_turn(bind: Bind):
    step, chat = bind(GENERATOR, script("Given prompt"), rounds=6, schedule="rotate")
    await step(seed("Nenne drei Flüsse."))
    drawn = [r.prompt.partition("@")[0].partition("/")[2] for r in chat.asked]
    start = OPERATORS.index(drawn[0])
    assert drawn == [*OPERATORS[start:], *OPERATORS[:start]]


async def test_a_seed_that_asks_nothing_costs_no_call(bind: Bind):
    step, chat = bind(GENERATOR, script(harder))
    assert drops(await step(seed(""))) == ["no_instruction"] and not chat.asked


async def test_complicated_input_names_one_of_the_formats(bind: Bind):
    step, chat = bind(GENERATOR, script(harder), operators=["complicate_input"], rounds=1)
    await step(seed("Nenne drei Flüsse."))
    assert chat.asked[0].inputs["format"] in FORMATS


def test_the_labels_of_our_own_prompts_are_known(prompts: Library):
    for prompt in GENERATOR.prompts:
        inputs = dict.fromkeys(prompts.load(prompt.name).header.inputs, "Fluss")
        for turn in prompts.load(prompt.name).render(inputs):
            markers = [line for line in turn.content.splitlines() if line.isupper()]
            assert all(names_label(marker, "de") for marker in markers)


def test_the_drawn_graph_reads_as_the_papers_figure():
    drawn = GENERATOR.graph().compile().get_graph()
    edges = {(edge.source, edge.target) for edge in drawn.edges}
    assert {
        ("evolve", "screen"), ("screen", "judge"), ("judge", "answer"), ("answer", "eliminate"),
        ("eliminate", "evolve"), ("eliminate", "finish"), ("screen", "eliminate"),
        ("judge", "eliminate"),
    } <= edges  # fmt: skip
    assert ("eliminate", "judge") not in edges


async def test_many_rounds_are_no_reason_to_stop_early(bind: Bind):
    step, _ = bind(GENERATOR, script(harder), rounds=20)
    assert len(kept(await step(seed("Nenne drei Flüsse.")))) == 20


async def test_the_schedule_of_the_small_evolvers_is_row_plus_round(bind: Bind):
    """Entry ``i mod len`` of the list rotated left by ``round mod len``, as the code has it."""
    four = ["add_constraint", "deepen", "concretize", "more_reasoning"]
    for row in (0, 1, 3, 6, 175):
        script_ = script(harder)
        step, chat = bind(
            GENERATOR, script_, rounds=6, operators=four, schedule="rotate", row="row"
        )
        await step(seed("Nenne drei Flüsse.", row=row))
        drawn = [r.prompt.partition("@")[0].partition("/")[2] for r in chat.asked]
        drawn = [name for name in drawn if name in four]
        rotated = [four[turn % 4 :] + four[: turn % 4] for turn in range(6)]
        assert drawn == [each[row % 4] for each in rotated]


@pytest.mark.parametrize("facts", [{}, {"row": "3"}, {"row": -1}, {"row": True}])
async def test_a_row_number_that_is_missing_is_the_jobs_mistake(bind: Bind, facts: dict[str, Any]):
    step, _ = bind(GENERATOR, script(harder), schedule="rotate", row="row")
    with pytest.raises(JobError, match="row number"):
        await step(seed("Nenne drei Flüsse.", **facts))


async def test_the_releases_variant_has_one_round_five_operators_and_no_eliminator(bind: Bind):
    released = [name for name in OPERATORS if name != "complicate_input"]
    step, chat = bind(
        GENERATOR,
        script("Given prompt: sorry", judge=EQUAL, answer="Sorry."),
        rounds=1,
        operators=released,
        eliminators=[],
    )
    [child] = await step(seed("Nenne drei Flüsse."))
    assert isinstance(child, Record) and child.last("assistant") == "Sorry."
    assert len(chat.asked) == 2, "evolve and answer, and nobody judges"


@pytest.mark.parametrize(
    ("rule", "evolved", "judge", "answer"),
    [
        ("no_gain", "Nenne vier Flüsse.", EQUAL, GOOD),
        ("apology", "Tut mir leid, das kann ich nicht.", DIFFERENT, GOOD),
        ("apology", "Nenne vier Flüsse.", DIFFERENT, "Tut mir leid."),
        ("empty_answer", "Nenne vier Flüsse.", DIFFERENT, "der die das ..."),
        ("label_leak", "Given prompt: vier", DIFFERENT, GOOD),
    ],
)
async def test_each_of_the_four_rules_can_be_left_out(
    bind: Bind, rule: str, evolved: str, judge: str, answer: str
):
    everything = ["no_gain", "apology", "empty_answer", "label_leak"]
    for rules in (everything, [each for each in everything if each != rule]):
        step, _ = bind(GENERATOR, script(evolved, judge, answer), rounds=1, eliminators=rules)
        outcomes = await step(seed("Nenne drei Flüsse."))
        assert drops(outcomes)[:1] == ([rule] if rule in rules else [])


async def test_an_apology_counts_below_eighty_words_and_not_from_there(bind: Bind):
    for count, reason in ((79, ["apology", "no_rewrite_survived"]), (80, [])):
        said = "Sorry " + "wort " * (count - 1)
        step, _ = bind(GENERATOR, script(harder, answer=said), rounds=1)
        assert drops(await step(seed("Nenne drei Flüsse."))) == reason


async def test_without_answers_a_child_is_an_instruction_and_no_more(bind: Bind):
    step, chat = bind(GENERATOR, script(harder), rounds=2, answers=False)
    outcomes = await step(seed("Nenne drei Flüsse."))
    assert [[m.role for m in record.messages] for record in kept(outcomes)] == [["user"]] * 2
    assert not [r for r in chat.asked if r.prompt.startswith("evol_instruct/answer")]


async def test_an_input_is_copied_and_only_the_instruction_evolves(bind: Bind):
    step, _ = bind(GENERATOR, script(harder), rounds=2, operators=["deepen"])
    asked = seed("Fasse zusammen.\n\nDer Bus\nkam spät.", input="Der Bus\nkam spät.")
    for record in kept(await step(asked)):
        assert record.facts["input"] == "Der Bus\nkam spät."
        assert record.last("user") == f"{record.facts['instruction']}\n\nDer Bus\nkam spät."


@needs_shared
async def test_the_public_seed_tasks_evolve_and_keep_their_inputs(bind: Bind):
    lines = (SHARED / "self_instruct_seed_tasks.jsonl").read_text(encoding="utf-8").splitlines()
    step, _ = bind(GENERATOR, script(harder), rounds=1, schedule="rotate", row="row")
    drawn: Counter[str] = Counter()
    for row, task in enumerate(map(json.loads, lines)):
        given = task["instances"][0]["input"]
        text = task["instruction"] + (f"\n\n{given}" if given else "")
        [child, *_] = await step(seed(text, "en", input=given, row=row))
        assert isinstance(child, Record) and child.facts["parent_instruction"] == (
            task["instruction"].strip()
        )
        drawn[child.facts["operator"]] += 1
    assert sum(drawn.values()) == 175 and max(drawn.values()) - min(drawn.values()) == 1


def test_the_shipped_comparison_gives_both_arms_one_schedule_and_one_size(tmp_path: Path):
    job = engine.load("small_evolver")
    records = list(engine.run(job, tmp_path / "out", rehearse=True).records())
    assert Counter(record.facts["source"] for record in records) == {"small": 30, "large": 30}
    four = job.file.steps["evolve_small"].settings["operators"]
    assert len(four) == 4 and four == job.file.steps["evolve_large"].settings["operators"]
    for record in records:
        hop = next(hop for hop in record.lineage if hop.step.startswith("evolve_"))
        [turn] = [n for n in range(3) if Record(hop.parent, "de").child(n).id == record.id]
        assert record.facts["operator"] == four[(record.facts["row"] + turn) % 4]
        assert len(hop.calls) == 3, "an evolver and nobody else"
