from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import pytest
from langgraph.graph import END, START, StateGraph
from langgraph.runtime import Runtime
from pydantic import BaseModel, TypeAdapter, ValidationError

from engine.core import Drop, Hop, Message, ModelError, Outcome, Record, ReplyError, stable_id
from engine.kit import (
    REASKS,
    Desk,
    Filter,
    Flow,
    Generator,
    InputPath,
    Kit,
    NoParams,
    Step,
    Verifier,
    Well,
    as_step,
)
from engine.models.chat import Reply, Request
from engine.models.fake import FakeChat
from engine.prompting import Library, Prompt
from tests.conftest import ROOT, seed


class Verdict(BaseModel, extra="forbid"):
    good: bool


SAY = Prompt("try/say", reply=str)
JUDGE = Prompt("try/judge", reply=Verdict)
FILES = {
    "say": ("[word, language]", "writer", "Say {{ word }} in {{ language }}."),
    "say.sw": ("[word, language]", "writer", "Sema {{ word }}: {{ language }}."),
    "judge": ("[word]", "judge", "Is {{ word }} good?"),
}


@pytest.fixture
def library(tmp_path: Path) -> Library:
    """Two prompts of these tests, and the engine's own for asking again."""
    (tmp_path / "try").mkdir()
    for name, (inputs, role, text) in FILES.items():
        header = f"---\npurpose: Try.\nrole: {role}\ninputs: {inputs}\nsampling: {{top_p: 0.5}}\n"
        body = f'---\n{{% turn "user" %}}{text}{{% endturn %}}\n'
        (tmp_path / f"try/{name}.j2").write_text(header + body)
    return Library(tmp_path, ROOT / "prompts")


def bound(
    library: Library, kind: Any, chat: Any, name: str = "step", job_seed: int = 1, depth: int = 0
) -> Step:
    models = {"writer": chat, "judge": chat}
    return as_step(kind, name, kind.params(), models, library, job_seed, depth)


def asking(*asks: tuple[Prompt[Any], dict[str, Any]]) -> Filter[NoParams]:
    """A filter that asks in turn, and keeps the record with the answers as its facts."""

    async def check(record: Record, kit: Kit[NoParams]) -> Outcome:
        answers = [await kit.ask(prompt, **given) for prompt, given in asks]
        return record.with_facts(answers=answers)

    return Filter(check, NoParams, prompts=(SAY, JUDGE))


async def facts(step: Step, record: Record) -> Any:
    [outcome] = await step(record)
    assert isinstance(outcome, Record)
    return outcome.facts


# Random numbers


def kit(library: Library, name: str = "step", record: str = "seed", job_seed: str = "1") -> Kit:
    place = stable_id(job_seed, name, record)
    return Kit(NoParams(), Record(record, "de"), place, {}, library)


def test_a_named_draw_does_not_depend_on_what_was_drawn_before(library: Library) -> None:
    first, second = kit(library), kit(library)
    moves = [first.random("move", n).random() for n in range(20)]
    second.random("other").random()
    assert [second.random("move", n).random() for n in reversed(range(20))] == moves[::-1]
    assert len(set(moves)) == 20


def test_draws_depend_on_the_name_the_record_the_step_and_the_jobs_seed(library: Library) -> None:
    kits = [
        kit(library),
        kit(library, name="other"),
        kit(library, record="r2"),
        kit(library, job_seed="2"),
    ]
    draws = [one.random("move").random() for one in kits] + [kits[0].random("move", 0).random()]
    assert len(set(draws)) == 5


def test_names_that_only_look_alike_when_joined_are_different(library: Library) -> None:
    one = kit(library)
    assert one.random("a", "bc").random() != one.random("ab", "c").random()
    assert one.random("move", 12).random() != one.random("move", 1, 2).random()


async def test_the_step_draws_the_same_for_the_same_record_at_every_start(library: Library) -> None:
    async def check(record: Record, kit: Kit[NoParams]) -> Outcome:
        return record.with_facts(draw=kit.random("x").random())

    kind = Filter(check, NoParams)
    draws = [
        (await facts(bound(library, kind, FakeChat({}), **how), seed()))["draw"]
        for how in ({}, {}, {"name": "later"}, {"job_seed": 2})
    ]
    assert draws[0] == draws[1] and len(set(draws)) == 3


def test_passes_and_sources_have_draws_of_their_own() -> None:
    desks = [Desk(NoParams(), name, "1") for name in ("novel", "split")]
    wells = [Well(NoParams(), name, 0, "1", lambda step: iter(())) for name in ("novel", "tasks")]
    assert desks[0].random("x").random() == wells[0].random("x").random()
    assert len({part.random("x").random() for part in (*desks, *wells)}) == 3
    assert wells[0].id("a.txt", 3) == wells[0].id("a.txt", 3) != wells[1].id("a.txt", 3)


# Asking


@pytest.mark.parametrize(
    ("record", "wanted", "said"),
    [
        ("de", "", "Say tea in German."),
        ("zh-Hans", "", "Say tea in Simplified Chinese."),
        ("sw", "", "Sema tea: Swahili."),
        ("sw-KE", "", "Sema tea: Swahili."),
        ("de", "sw", "Sema tea: Swahili."),
    ],
)
async def test_a_question_is_put_in_the_language_of_the_record_or_in_the_one_asked_for(
    library: Library, record: str, wanted: str, said: str
) -> None:
    chat = FakeChat({"try/say": "ok"})
    await bound(library, asking((SAY, {"word": "tea", "language": wanted})), chat)(
        seed(language=record)
    )
    [request] = chat.asked
    assert request.messages == (Message("user", said),)
    assert request.language == (wanted or record)


async def test_the_request_carries_what_the_header_and_the_reply_type_say(library: Library) -> None:
    chat = FakeChat({"try/judge": '{"good": true}'})
    found = await facts(bound(library, asking((JUDGE, {"word": "tea"})), chat, depth=200), seed())
    [request] = chat.asked
    assert found["answers"] == [Verdict(good=True)]
    assert request.schema == Verdict.model_json_schema()
    assert (request.sampling, request.role, request.form) == ({"top_p": 0.5}, "judge", "text")
    assert (request.inputs, request.depth, request.take) == ({"word": "tea"}, 200, 0)
    assert request.prompt.startswith("try/judge@")


async def test_later_calls_of_a_seed_are_deeper_so_that_they_go_first(library: Library) -> None:
    chat = FakeChat({"try/say": "ok"})
    kind = asking(*[(SAY, {"word": w}) for w in "abc"])
    await bound(library, kind, chat, depth=100)(seed())
    assert [request.depth for request in chat.asked] == [100, 101, 102]


async def test_takes_of_one_question_have_different_seeds_that_repeat_at_every_start(
    library: Library,
) -> None:
    kind = asking(*[(SAY, {"word": "tea", "take": take}) for take in range(5)])
    starts = []
    for _ in range(2):
        chat = FakeChat({"try/say": "ok"})
        await bound(library, kind, chat)(seed())
        starts.append([(request.take, request.seed) for request in chat.asked])
    assert starts[0] == starts[1]
    assert [take for take, _ in starts[0]] == [0, 1, 2, 3, 4]
    assert len({number for _, number in starts[0]}) == 5


async def test_a_wrong_reply_is_asked_for_again_with_the_reply_and_the_reason(
    library: Library,
) -> None:
    chat = FakeChat({"try/judge": ['{"good": "perhaps"}', "", '{"good": false}']})
    found = await facts(bound(library, asking((JUDGE, {"word": "tea"})), chat), seed())
    assert found["answers"] == [Verdict(good=False)]
    first, second, third = (request.messages for request in chat.asked)
    assert second[:1] == first and third[:3] == second, "the conversation goes on"
    assert second[1] == Message("assistant", '{"good": "perhaps"}')
    assert second[2].role == "user"
    assert "good: Input should be a valid boolean" in second[2].content
    assert third[3] == Message("assistant", "(empty)"), "servers refuse an empty turn"
    assert "Invalid JSON" in third[4].content
    assert {request.schema is None for request in chat.asked} == {False}
    assert [request.depth for request in chat.asked] == [0, 1, 2]


async def test_a_long_wrong_reply_is_not_sent_back_whole(library: Library) -> None:
    chat = FakeChat({"try/judge": ["x" * 1_000_000, '{"good": true}']})
    await bound(library, asking((JUDGE, {"word": "tea"})), chat)(seed())
    assert sum(len(message.content) for message in chat.asked[1].messages) < 4_000


async def test_a_reply_cut_by_the_limit_is_asked_for_again_where_json_was_wanted(
    library: Library,
) -> None:
    cut = Reply('{"good": tr', "fake", truncated=True)
    chat = FakeChat({"try/judge": [cut, '{"good": true}']})
    found = await facts(bound(library, asking((JUDGE, {"word": "tea"})), chat), seed())
    assert found["answers"] == [Verdict(good=True)]
    assert "cut by the token limit" in chat.asked[1].messages[-1].content


async def test_a_cut_free_text_is_handed_over_and_marked(library: Library) -> None:
    chat = FakeChat({"try/say": Reply("Chai ni", "fake", truncated=True)})
    found = await facts(bound(library, asking((SAY, {"word": "tea"})), chat), seed())
    assert found["answers"] == ["Chai ni"] and found["answers"][0].truncated
    assert len(chat.asked) == 1


async def test_a_reply_that_stays_wrong_drops_the_record_with_prompt_and_reason(
    library: Library,
) -> None:
    chat = FakeChat({"try/judge": "I would rather not."})
    record = seed("Tee?")
    [drop] = await bound(library, asking((JUDGE, {"word": "tea"})), chat)(record)
    assert isinstance(drop, Drop) and drop.reason == "bad_reply"
    assert drop.detail.startswith("try/judge: ") and "Invalid JSON" in drop.detail
    assert len(chat.asked) == 1 + REASKS
    assert drop.record.id == record.id and drop.record.messages == record.messages
    assert len(drop.record.lineage[0].calls) == 1 + REASKS, "what was paid for is on record"


async def test_a_part_may_answer_for_a_bad_reply_itself(library: Library) -> None:
    async def check(record: Record, kit: Kit[NoParams]) -> Outcome:
        try:
            await kit.ask(JUDGE, word="tea")
        except ReplyError:
            return record.with_facts(judged=False)
        return record

    kind = Filter(check, NoParams, prompts=(JUDGE,))
    step = bound(library, kind, FakeChat({"try/judge": "no"}))
    assert await facts(step, seed()) == {"judged": False}


async def test_a_server_that_does_not_answer_is_no_drop(library: Library) -> None:
    class Down:
        async def chat(self, request: Request) -> Reply:
            raise ModelError("no server answered")

    with pytest.raises(ModelError):
        await bound(library, asking((SAY, {"word": "tea"})), Down())(seed())


# Steps


async def test_checks_may_be_plain_or_async_and_verifiers_are_checks(library: Library) -> None:
    def plain(record: Record, kit: Kit[NoParams]) -> Outcome:
        return record.with_facts(by="plain")

    async def slow(record: Record, kit: Kit[NoParams]) -> Outcome:
        await asyncio.sleep(0)
        return record.with_facts(by="async")

    for kind, by in (
        (Filter(plain, NoParams), "plain"),
        (Filter(slow, NoParams), "async"),
        (Verifier(slow, NoParams), "async"),
    ):
        [kept] = await bound(library, kind, FakeChat({}))(seed())
        assert isinstance(kept, Record) and kept.facts == {"by": by}
        [hop] = kept.lineage
        assert hop == Hop("step", "seed", verdict=hop.verdict)
        assert hop.verdict and (hop.verdict.check, hop.verdict.verdict) == (__name__, "pass")


async def test_a_drop_is_stamped_with_the_step_and_its_calls(library: Library) -> None:
    async def check(record: Record, kit: Kit[NoParams]) -> Outcome:
        return Drop(record, "dull", await kit.ask(SAY, word="tea"))

    step = bound(library, Filter(check, NoParams, prompts=(SAY,)), FakeChat({"try/say": "meh"}))
    [drop] = await step(seed())
    assert isinstance(drop, Drop) and (drop.reason, drop.detail) == ("dull", "meh")
    [hop] = drop.record.lineage
    assert (hop.step, hop.parent, len(hop.calls)) == ("step", "seed", 1)
    assert hop.calls[0].model == "fake" and hop.calls[0].tokens_out == 1


class State(Flow, total=False):
    turn: int


def looping(turns: int) -> Generator[NoParams]:
    """A generator that goes round ``turns`` times, then leaves two children and a drop."""

    async def ask(state: State, runtime: Runtime[Kit[NoParams]]) -> State:
        turn = state.get("turn", 0)
        if turn < 2:
            await runtime.context.ask(SAY, word="tea", take=turn)
        return {"turn": turn + 1}

    async def end(state: State, runtime: Runtime[Kit[NoParams]]) -> State:
        record = state["record"]
        return {"out": [record.child(0), record.child(1), Drop(record.child(2), "dull")]}

    def after_ask(state: State) -> Literal["ask", "end"]:
        return "ask" if state["turn"] < turns else "end"

    def graph() -> StateGraph[State, Kit[NoParams], State, State]:
        g = StateGraph(State, context_schema=Kit)
        g.add_node(ask)
        g.add_node(end)
        g.add_edge(START, "ask")
        g.add_conditional_edges("ask", after_ask)
        g.add_edge("end", END)
        return g

    return Generator(graph, NoParams, prompts=(SAY,))


def family(outcomes: Sequence[Outcome]) -> list[Record]:
    return [o.record if isinstance(o, Drop) else o for o in outcomes]


async def test_children_know_their_parent_and_how_they_came_to_be(library: Library) -> None:
    chat = FakeChat({"try/say": "ok"})
    step = bound(library, looping(2), chat, name="grow")
    outcomes = await step(Record("root", "de"))
    children = family(outcomes)
    assert [isinstance(outcome, Drop) for outcome in outcomes] == [False, False, True]
    assert len({child.id for child in children} | {"root"}) == 4
    for child in children:
        [hop] = child.lineage
        assert (hop.step, hop.parent, len(hop.calls)) == ("grow", "root", 2)


async def test_lineage_grows_by_one_hop_a_step_and_names_every_parent(library: Library) -> None:
    chat = FakeChat({"try/say": "ok"})
    grow, check = bound(library, looping(1), chat, "grow"), asking((SAY, {"word": "x"}))
    child, *_ = await grow(Record("root", "de"))
    assert isinstance(child, Record)
    [checked] = await bound(library, check, chat, "check")(child)
    assert isinstance(checked, Record)
    last, *_ = await bound(library, looping(1), chat, "again")(checked)
    assert isinstance(last, Record)
    assert [(hop.step, hop.parent) for hop in last.lineage] == [
        ("grow", "root"),
        ("check", child.id),
        ("again", child.id),
    ]
    assert last.id not in ("root", child.id)


async def test_ids_and_lineage_are_the_same_at_every_start(library: Library) -> None:
    runs = [
        await bound(library, looping(3), FakeChat({"try/say": "ok"}))(Record("root", "de"))
        for _ in range(2)
    ]
    assert runs[0] == runs[1]


async def test_a_graph_may_loop_as_often_as_its_method_asks(library: Library) -> None:
    step = bound(library, looping(400), FakeChat({"try/say": "ok"}))
    assert len(await step(seed())) == 3


async def test_calls_are_in_the_same_order_whichever_reply_comes_first(library: Library) -> None:
    class Slow:
        """Answers its questions in the order given, whatever order they were asked in."""

        def __init__(self, *order: str) -> None:
            self.order = list(order)
            self.turn = asyncio.Condition()

        async def chat(self, request: Request) -> Reply:
            word = str(request.inputs["word"])
            async with self.turn:
                await self.turn.wait_for(lambda: self.order[0] == word)
                self.order.pop(0)
                self.turn.notify_all()
            return Reply(word, "slow", key=f"key-{word}")

    async def check(record: Record, kit: Kit[NoParams]) -> Outcome:
        await asyncio.gather(*(kit.ask(SAY, word=word) for word in "abc"))
        return record

    lineages = []
    for order in ("abc", "cba", "bca"):
        [kept] = await bound(library, Filter(check, NoParams), Slow(*order))(seed())
        assert isinstance(kept, Record)
        lineages.append(kept.lineage)
    assert lineages[0] == lineages[1] == lineages[2]
    assert [call.key for call in lineages[0][0].calls] == ["key-a", "key-b", "key-c"]


async def test_records_that_pass_one_step_at_the_same_time_do_not_mix(library: Library) -> None:
    async def check(record: Record, kit: Kit[NoParams]) -> Outcome:
        return record.with_facts(heard=await kit.ask(SAY, word=record.id))

    def echo(request: Request) -> str:
        return str(request.inputs["word"])

    step = bound(library, Filter(check, NoParams), FakeChat({"try/say": echo}))
    records = [Record(f"r{n}", "de") for n in range(50)]
    outcomes = await asyncio.gather(*map(step, records))
    for record, [kept] in zip(records, outcomes, strict=True):
        assert isinstance(kept, Record)
        assert kept.facts["heard"] == record.id and len(kept.lineage[0].calls) == 1


# Settings


def test_a_path_in_a_setting_is_relative_to_the_job_and_must_exist(tmp_path: Path) -> None:
    (tmp_path / "tasks.jsonl").touch()
    path = TypeAdapter(InputPath)
    assert path.validate_python("tasks.jsonl", context={"base": tmp_path}) == (
        tmp_path / "tasks.jsonl"
    )
    with pytest.raises(ValidationError, match=r"there is no taks\.jsonl \(looked for /"):
        path.validate_python("taks.jsonl", context={"base": tmp_path})


def test_a_part_without_settings_refuses_any() -> None:
    with pytest.raises(ValidationError, match="Extra inputs"):
        NoParams.model_validate({"tone": "dry"})


async def test_plain_nodes_and_routes_run_where_they_stand(library: Library) -> None:
    where = []

    def keep(state: State) -> State:
        where.append(threading.current_thread())
        return {"out": [state["record"]]}

    def after_start(state: State) -> str:
        where.append(threading.current_thread())
        return "keep"

    def graph() -> StateGraph[State, Kit[NoParams], State, State]:
        g = StateGraph(State, context_schema=Kit)
        g.add_node(keep)
        g.add_conditional_edges(START, after_start, ["keep"])
        g.add_edge("keep", END)
        return g

    [kept] = await bound(library, Generator(graph, NoParams, prompts=()), FakeChat({}))(seed("tea"))
    assert isinstance(kept, Record) and where == [threading.current_thread()] * 2
