from __future__ import annotations

import contextlib
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

from engine.core import Drop, Message, Record
from engine.generators.cycle_instruct import GENERATOR
from engine.job import load
from engine.ledger import Ledger
from engine.models.chat import Reply, Request, Scores
from engine.passes.best_share import PASS
from engine.session import run
from engine.sources.unpaired import SOURCE
from engine.text.cycling import written_fault
from tests.conftest import SHARED, Bind, needs_shared, read, settle

REPLIES = sorted((Path(__file__).parent / "replies" / "cycle_instruct").glob("*.txt"))
BREAD = (
    "Mix flour, water and salt, let the dough rest for two hours, fold it twice, and bake it in "
    "a hot oven with steam until the crust is dark and the loaf sounds hollow."
)
ASKED = "How do I bake a plain loaf of bread at home?"


def segment(text: str, side: str, language: str = "en", **facts: Any) -> Record:
    known = {"segment": text, "side": side, "round": 0, "source": "source", **facts}
    return Record("seed", language, facts=known)


def script(question: Any = ASKED, answer: Any = BREAD) -> dict[str, Any]:
    return {"cycle_instruct/question": question, "cycle_instruct/answer": answer}


def written(path: Path) -> tuple[str, str, str, str]:
    """Side, human text, what a model replied, and what must become of it."""
    human, _, rest = path.read_text(encoding="utf-8").partition("\n=== reply\n")
    reply, _, expected = rest.partition("\n=== outcome\n")
    return path.stem.split("_")[1], human, reply, expected.strip()


@pytest.mark.parametrize("path", REPLIES, ids=lambda path: path.stem)
async def test_replies_as_models_write_them_become_a_side_of_a_pair_or_a_reason(
    path: Path, bind: Bind
) -> None:
    side, human, reply, expected = written(path)
    asks = side == "answer"
    said = script(reply, human) if asks else script(human, reply)
    step, _ = bind(GENERATOR, said)
    [outcome] = await step(segment(human, side, path.stem.split("_")[0]))
    if isinstance(outcome, Drop):
        assert f"drop: {outcome.reason}" == expected
        return
    assert (outcome.last("user") if asks else outcome.last("assistant")) == expected
    assert (outcome.last("assistant") if asks else outcome.last("user")) == human


def test_there_are_enough_replies_and_they_end_in_every_way() -> None:
    ends = [written(path)[3] for path in REPLIES]
    assert len(ends) >= 12 and sum(end.startswith("drop: ") for end in ends) >= 6


async def test_a_human_answer_is_the_target_whatever_the_models_write(bind: Bind) -> None:
    step, chat = bind(GENERATOR, script())
    [pair] = await step(segment(f"  {BREAD}\n", "answer"))
    assert isinstance(pair, Record)
    assert pair.messages == (Message("user", ASKED), Message("assistant", f"  {BREAD}\n"))
    assert pair.facts["side"] == "answer" and pair.facts["round"] == 0
    assert pair.facts["cycle"]["reconstruction"] == BREAD
    assert pair.facts["cycle"]["similarity"] == 1.0
    assert not {"segment", "examples"} & set(pair.facts)
    assert [request.role for request in chat.asked] == ["asker", "answerer"]
    assert chat.asked[1].messages[-1] == Message("user", ASKED), "it sees only the question"
    assert BREAD not in "".join(m.content for m in chat.asked[1].messages)


async def test_a_human_question_is_the_target_the_other_way_round(bind: Bind) -> None:
    step, chat = bind(GENERATOR, script())
    [pair] = await step(segment(ASKED, "question"))
    assert isinstance(pair, Record)
    assert pair.messages == (Message("user", ASKED), Message("assistant", BREAD))
    assert [request.role for request in chat.asked] == ["answerer", "asker"]
    assert ASKED not in "".join(m.content for m in chat.asked[1].messages)


async def test_of_several_samples_the_best_reconstructed_one_stays(bind: Bind) -> None:
    def answer(request: Request) -> str:
        near = "sourdough" in request.messages[-1].content
        return BREAD if near else "The moon is far away, and nobody lives there."

    questions = ["Where is the moon in the sky?", "How do I bake a sourdough loaf?", "Cut", "???"]
    cut = [*questions[:2], Reply("How do I", "fake", truncated=True), questions[3]]
    step, _ = bind(GENERATOR, script(cut, answer), samples=4)
    [pair] = await step(segment(BREAD, "answer"))
    assert isinstance(pair, Record) and pair.last("user") == questions[1]
    assert pair.facts["cycle"]["samples"] == 2, "the cut and the empty one are out"


async def test_examples_show_human_texts_as_what_is_to_be_written(bind: Bind) -> None:
    examples = {
        "answer": [{"instruction": "written question", "response": "human answer"}],
        "question": [{"instruction": "human question", "response": "written answer"}],
    }
    step, chat = bind(GENERATOR, script())
    [_] = await step(segment(BREAD, "answer", examples=examples))
    for request, target in zip(chat.asked, ("human question", "human answer"), strict=True):
        shown = [m.content for m in request.messages if m.role == "assistant"]
        assert shown == [target], request.role


async def test_likelihood_is_that_of_the_human_text_and_its_gain(bind: Bind) -> None:
    def score(request: Request) -> Scores:
        assert request.messages[-1].content == BREAD, "the target is human"
        given = len(request.messages) > 2
        return Scores(("a", "b"), (-1.0, -2.0) if given else (-3.0, -4.0), "scorer")

    def answer(request: Request) -> str | Scores:
        return score(request) if request.messages[-1].role == "assistant" else BREAD

    step, _ = bind(GENERATOR, {**script(answer=answer), "score": score}, likelihood=True)
    [pair] = await step(segment(BREAD, "answer"))
    assert isinstance(pair, Record)
    cycle = pair.facts["cycle"]
    assert (cycle["log_likelihood"], cycle["gain"], cycle["scorer"]) == (-1.5, 2.0, "scorer")


async def test_a_question_alone_is_scored_by_the_asker(bind: Bind) -> None:
    roles: list[str] = []

    def score(request: Request) -> Scores:
        roles.append(request.role)
        return Scores(("a",), (-1.0,), "scorer")

    def ask(request: Request) -> str | Scores:
        return score(request) if request.messages[-1].role == "assistant" else ASKED

    step, _ = bind(GENERATOR, {**script(question=ask), "score": score}, likelihood=True)
    [pair] = await step(segment(ASKED, "question"))
    assert isinstance(pair, Record) and roles == ["asker", "asker"]


@pytest.mark.parametrize("facts", [{}, {"segment": "  ", "side": "answer"}, {"segment": "a"}])
async def test_a_record_without_a_segment_drops_and_nobody_is_asked(
    facts: dict[str, Any], bind: Bind
) -> None:
    step, chat = bind(GENERATOR, script())
    [drop] = await step(Record("seed", "en", facts=facts))
    assert isinstance(drop, Drop) and drop.reason == "no_segment" and not chat.asked


async def test_a_side_that_cannot_be_reconstructed_drops(bind: Bind) -> None:
    step, _ = bind(GENERATOR, script(answer=Reply("Mix flour", "fake", truncated=True)))
    [drop] = await step(segment(BREAD, "answer"))
    assert isinstance(drop, Drop) and drop.reason == "no_reconstruction"


async def test_on_a_reversible_mapping_reconstruction_is_perfect_and_rounds_keep_the_true_pairs(
    bind: Bind,
) -> None:
    """A toy language in which a question names its answer; a confused model mixes some up."""
    facts = {f"What is the {n}th town on the river?": f"Town {n * 7919} it is." for n in range(12)}
    back = {answer: question for question, answer in facts.items()}

    def model(confused: set[str]) -> dict[str, Any]:
        def ask(request: Request) -> str:
            response = str(request.inputs["response"])
            return "Who lives in this place here?" if response in confused else back[response]

        def answer(request: Request) -> str:
            return facts.get(str(request.inputs["instruction"]), "I have no idea about that.")

        return script(ask, answer)

    scores = []
    for confused in (set(list(back)[:6]), set(list(back)[:2]), set[str]()):
        step, _ = bind(GENERATOR, model(confused))
        found = [(await step(Record(f"{n}", "en", facts=segment(a, "answer").facts)))[0]
                 for n, a in enumerate(back)]  # fmt: skip
        pairs = [pair for pair in found if isinstance(pair, Record)]
        kept = [pair for pair in settle(PASS, pairs, share=0.5) if isinstance(pair, Record)]
        assert len(kept) == 6
        assert all(facts[pair.last("user")] == pair.last("assistant") for pair in kept)
        scores.append(sum(pair.facts["cycle"]["similarity"] for pair in pairs) / len(pairs))
    assert scores[0] < scores[1] < scores[2] == 1.0, "it converges as the models learn"


@pytest.mark.parametrize(
    ("text", "human", "language", "fault"),
    [
        ("", "为什么天是蓝的？", "zh", "no_answer"),
        ("为什么天是蓝的", "为什么天是蓝的？", "zh", "copies_question"),
        ("因为空气散射阳光。", "为什么天是蓝的？", "zh", ""),
        ("Lo siento, no puedo ayudar con eso.", "¿Por qué llueve?", "es", "apology"),
        ("word " * 50_000, "Why?", "en", ""),
    ],
)
def test_an_answer_must_be_one(text: str, human: str, language: str, fault: str) -> None:
    assert written_fault(text, human, "question", language, 12) == fault


WANTED = {
    "eng": "en", "deu_1996": "de", "spa": "es", "fra": "fr", "por_BR": "pt", "ita": "it",
    "rus": "ru", "ukr": "uk", "ell_monotonic": "el", "tur": "tr", "arb": "ar", "heb": "he",
    "hin": "hi", "ben": "bn", "tam": "ta", "tha": "th", "kor": "ko", "jpn": "ja",
    "cmn_hans": "zh-Hans", "vie": "vi", "swh": "sw", "hye": "hy", "kat": "ka", "amh": "am",
}  # fmt: skip
"""Declarations in ../shared/data/udhr2.zip, and their languages."""


@pytest.fixture
def declarations(tmp_path: Path) -> dict[str, str]:
    """Language -> the declaration, which lies in ``tmp_path``."""
    with zipfile.ZipFile(SHARED / "udhr2.zip") as archive:
        there = {Path(name).stem: name for name in archive.namelist()}
        for stem, tag in WANTED.items():
            if stem in there:
                (tmp_path / f"{tag}.txt").write_bytes(archive.read(there[stem]))
    return {path.stem: path.read_text("utf-8") for path in tmp_path.glob("*.txt")}


@needs_shared
async def test_the_declaration_in_many_languages_gives_verbatim_targets(
    bind: Bind, tmp_path: Path, declarations: dict[str, str]
) -> None:
    assert len(declarations) >= 20
    seeds = list(read(SOURCE, tmp_path, path=".", language_from="stem", examples=0))
    assert {seed.language for seed in seeds} == set(declarations)
    step, _ = bind(GENERATOR, script())
    for seed in seeds[: len(declarations)]:
        human = str(seed.facts["segment"])
        assert human in declarations[seed.language]
        [outcome] = await step(seed)
        assert isinstance(outcome, Record), outcome.reason
        assert outcome.last("assistant" if seed.facts["side"] == "answer" else "user") == human


def test_a_round_is_shown_nothing_but_human_texts_that_earlier_rounds_kept(tmp_path: Path) -> None:
    job = load("cycle_instruct", ["target.accepted=40", "steps.best.with.share=1"], {})
    run(job, tmp_path / "run", rehearse=True)
    with contextlib.closing(Ledger(tmp_path / "run")) as ledger:
        kept = [record for _, record in ledger.arrived(["novel"], 0)]
        kept += [record for _, record in ledger.arrived(["novel"], 1)]
        human = [(int(r.facts["round"]), human_side(r)) for r in kept]
        assert {round for round, _ in human} == {0, 1}
        shown = 0
        for record in kept:
            calls = ledger.calls([call.key for call in record.lineage[0].calls if call.key])
            turns = [m for said in calls for m in json.loads(said.asked)["messages"]]
            examples = [turn["content"] for turn in turns if turn["role"] == "assistant"]
            earlier = {text for round, text in human if round < record.facts["round"]}
            assert set(map(str.strip, examples)) <= set(map(str.strip, earlier))
            shown += len(examples)
        assert shown > 0


def human_side(record: Record) -> str:
    return record.last("assistant" if record.facts["side"] == "answer" else "user")
