from __future__ import annotations

import asyncio
import json
import time
from collections import Counter
from pathlib import Path
from typing import Any, Literal

import pytest
import regex
from pydantic import BaseModel, Field, TypeAdapter, ValidationError
from rapidfuzz.distance import LCSseq

from engine.core import REHEARSAL, JobError, Message
from engine.languages.agreement import agreement
from engine.languages.identify import identify
from engine.models.chat import Reply, Request
from engine.models.rehearsal import Faults, Rehearsal
from engine.models.rehearsal_voices import read_stocks
from engine.prompting import Prompt
from engine.text.tokens import is_unspaced, tokens
from tests.conftest import ROOT

STOCKS = ROOT / "taxonomies" / "rehearsal"
MODEL = Rehearsal(STOCKS)
LANGUAGES = MODEL.languages
RICH = ("ar", "de", "en", "es", "eu", "fr", "hi", "pt", "sw", "th", "tr", "zh")
"""Languages with a large stock; the others' are compact."""
STOPS = {
    "am": "።?", "ar": ".؟", "bn": "।?", "el": ".;", "gu": ".।?", "hi": "।?", "hy": "։", "ja": "。",
    "km": "។?", "my": "။", "pa": "।?", "ur": "۔؟", "zh": "。！？",
}  # fmt: skip
"""What a sentence ends with, where it is not a full stop or a question mark."""
UNMARKED = ("lo", "th")
"""Languages that end a sentence without a mark."""
BLOCKED = set(
    tokens(
        "image images graph graphs picture pictures file files map maps draw plot video audio "
        "music flowchart diagram"
    )
)
ENGLISH = (
    "The harbour master keeps a log of every trawler, and the lighthouse warns them of the reef.",
    "My grandmother planted an orchard with plums, quinces and a crooked walnut beside the barn.",
    "Before the concert the orchestra tuned its violins while the conductor searched his baton.",
    "Enzymes in the stomach break proteins into peptides that the intestine can absorb easily.",
)


def ask(text: str = "Go on.", model: Rehearsal = MODEL, **fields: Any) -> Reply:
    return asyncio.run(model.chat(Request((Message("user", text),), **fields)))


def all_of(model: Rehearsal, requests: list[Request]) -> list[Reply]:
    async def run() -> list[Reply]:
        return [await model.chat(request) for request in requests]

    return asyncio.run(run())


def rouge_l(a: list[str], b: list[str]) -> float:
    return 2 * LCSseq.similarity(a, b) / (len(a) + len(b))


def in_script(text: str, script: str) -> float:
    letters = regex.findall(r"\p{L}", text)
    own = r"\p{Han}\p{Hiragana}\p{Katakana}" if script == "Japanese" else rf"\p{{{script}}}"
    return len(regex.findall(rf"[{own}&&\p{{L}}]", text, regex.V1)) / max(1, len(letters))


class Step(BaseModel, extra="forbid"):
    instruction: str = Field(min_length=1, max_length=60)
    score: int = Field(ge=1, le=5)
    weight: float = Field(gt=0, lt=1)
    kind: Literal["open", "closed"]


class Plan(BaseModel, extra="forbid"):
    title: str
    steps: list[Step] = Field(min_length=2, max_length=4)
    critique: str | None
    usable: bool
    version: Literal[2]
    pair: tuple[str, int]
    notes: dict[str, int]
    tags: set[Literal["a", "b", "c", "d"]] = Field(min_length=2)


class Node(BaseModel, extra="forbid"):
    topic: str
    children: list[Node] = []
    parent: Node | None = None


class Ends(BaseModel):
    even: int = Field(ge=10, lt=20, multiple_of=2)
    either: Step | int
    letter: str = Field(pattern=r"^[A-D]$")
    story: str = Field(min_length=700)


TYPES: list[Any] = [Plan, Node, Ends, Step, list[Step], dict[str, Step], int, bool, list[str]]


def test_the_same_request_gets_the_same_reply_whatever_was_asked_before() -> None:
    request = Request((Message("user", "x"),), form="instruction", inputs={"text": ENGLISH[0]})
    fresh = all_of(Rehearsal(STOCKS), [request])
    assert all_of(MODEL, [Request(()), request])[1:] == fresh
    assert fresh[0].model == REHEARSAL


@pytest.mark.parametrize(
    "change", [{"seed": 1}, {"take": 1}, {"sampling": {"temperature": 0.3}}, {"language": "de"}]
)
def test_another_seed_take_sampling_or_language_gives_another_text(change: dict[str, Any]) -> None:
    assert ask(**change).text != ask().text


def test_another_message_gives_another_text() -> None:
    assert ask("one").text != ask("two").text


@pytest.mark.parametrize("kind", TYPES, ids=str)
@pytest.mark.parametrize("language", ["en", "zh", "wo"])
def test_json_is_always_valid_for_its_type(kind: Any, language: str) -> None:
    prompt = Prompt("any", reply=kind)
    for seed in range(40):
        prompt.read(ask(seed=seed, schema=prompt.schema, language=language).text)


def test_a_list_keeps_to_the_number_the_prompt_asked_for() -> None:
    schema = TypeAdapter(dict[Literal["tasks"], list[str]]).json_schema()
    schema = {"type": "object", "properties": {"tasks": schema["additionalProperties"]}}
    reply = json.loads(ask(schema=schema, inputs={"count": 7}).text)
    assert len(reply["tasks"]) == 7


def test_yes_is_common_unless_yes_is_bad_news() -> None:
    class Verdict(BaseModel):
        clear: bool
        has_error: bool
        score: int

    prompt = Prompt("any", reply=Verdict)
    read = [prompt.read(ask(seed=s, schema=prompt.schema).text) for s in range(400)]
    assert 0.78 < sum(v.clear for v in read) / 400 < 0.92
    assert 0.08 < sum(v.has_error for v in read) / 400 < 0.22
    assert {v.score for v in read} == set(range(1, 11))
    assert 5.5 < sum(v.score for v in read) / 400 < 7.5


def test_field_names_decide_what_kind_of_text_they_get() -> None:
    schema = {
        "type": "object",
        "properties": {name: {"type": "string"} for name in ("question", "labels", "topic")},
    }
    reply = json.loads(ask(schema=schema, inputs={"options": ["left", "right"]}).text)
    assert reply["labels"] in ("left", "right")
    assert len(reply["topic"]) < len(reply["question"])


@pytest.mark.parametrize("language", [*LANGUAGES, "wo"])
@pytest.mark.parametrize(
    ("shown", "first"), [("none", 1), ("1. a\n2. b\n8. c", 9), ("1. a\n2.", 2), ("١. a\n٢. b", 3)]
)
def test_a_numbered_list_is_continued(language: str, shown: str, first: int) -> None:
    text = ask(f"Continue:\n{shown}", form="numbered_list", language=language).text
    numbers = [int(number) for number in regex.findall(r"^(\d+)\. \S", text, regex.M)]
    assert numbers == list(range(first, first + len(numbers)))
    assert len(text.splitlines()) == len(numbers)
    assert 6 <= len(numbers) <= 10


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_is_in_its_script_and_ends_its_sentences(language: str) -> None:
    script = "Japanese" if language == "ja" else read_stocks(STOCKS)[language].script
    for seed in range(60):
        for form in ("text", "instruction"):
            text = ask(seed=seed, form=form, language=language).text
            assert in_script(text, script) > 0.95, text
            assert language in UNMARKED or text[-1] in STOPS.get(language, ".?!"), text
            assert "{" not in text


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_is_told_from_its_phrases(language: str) -> None:
    for form in ("text", "instruction"):
        requests = [
            Request((Message("user", str(i)),), form=form, language=language) for i in range(20)
        ]
        texts = [reply.text for reply in all_of(MODEL, requests)]
        assert len(set(texts)) >= 18
        found = {agreement(identify(text).tag, language) for text in texts}
        assert "same" in found <= {"same", "close", "unsure"}


def test_no_two_languages_share_phrases() -> None:
    stocks = read_stocks(STOCKS)
    phrases = Counter(p for s in stocks.values() for p in {*s.instructions, *s.answers, *s.reasons})
    assert set(phrases.values()) == {1}


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_phrase_fills_and_every_stock_is_rich_enough(language: str) -> None:
    stock = read_stocks(STOCKS)[language]
    slots = dict.fromkeys(("a", "b", "c", "d", "n", "who", "how"), "X")
    kinds = (stock.instructions, stock.answers, stock.constraints, stock.formats, stock.reasons)
    for phrase in sum((*kinds, stock.titles, stock.materials, stock.audiences), ()):
        phrase.format_map(slots)
    nouns, instructions, answers = (60, 30, 25) if language in RICH else (24, 10, 10)
    assert len(set(stock.nouns)) == len(stock.nouns) >= nouns
    assert len(set(stock.instructions)) == len(stock.instructions) >= instructions
    assert len(set(stock.answers)) == len(stock.answers) >= answers
    assert len(stock.refusals) >= 4


@pytest.mark.parametrize("language", LANGUAGES)
def test_instructions_are_neither_too_short_nor_too_long_nor_blocked(language: str) -> None:
    shown = {"tasks": ask(form="numbered_list", language=language).text}
    for seed in range(150):
        text = ask(seed=seed, form="instruction", language=language, inputs=shown).text
        assert BLOCKED.isdisjoint(tokens(text)), text
        assert text[0].isalpha(), text
        if is_unspaced(text):
            assert len(text) >= 8
        else:
            assert 4 <= len(text.split()) <= 60


@pytest.mark.parametrize("language", ["en", "zh"])
def test_instructions_are_novel_to_each_other_but_some_are_near_repeats(language: str) -> None:
    shown = {"en": ENGLISH, "zh": ("书店门口排着长队，孩子们抱着漫画。", "渔民在码头修补渔网。")}
    requests = [
        Request(
            (Message("user", str(i)),),
            form="instruction",
            language=language,
            inputs={"text": shown[language][i % len(shown[language])]},
        )
        for i in range(300)
    ]
    texts = [tokens(reply.text) for reply in all_of(MODEL, requests)]
    kept: list[list[str]] = []
    for text in texts:
        if all(rouge_l(text, other) < 0.7 for other in kept):
            kept.append(text)
    assert 0.7 < len(kept) / len(texts) < 1


def test_topics_come_from_the_inputs() -> None:
    requests = [
        Request((Message("user", str(i)),), inputs={"document": ENGLISH[1]}) for i in range(60)
    ]
    said = {word for reply in all_of(MODEL, requests) for word in tokens(reply.text)}
    assert {"orchard", "walnut", "barn"} <= said


def test_chinese_topics_come_from_the_inputs() -> None:
    requests = [
        Request((Message("user", str(i)),), language="zh", inputs={"d": "码头上，渔网，漫画。"})
        for i in range(40)
    ]
    said = "".join(reply.text for reply in all_of(MODEL, requests))
    assert "渔网" in said
    assert "漫画" in said


@pytest.mark.parametrize(
    ("tag", "text", "word"),
    [
        ("ur", "یہ سب لوگ مل کر بناتے تھے مٹی کے کٹورے۔ اور پھر", "کٹورے"),
        ("am", "ሰዎች ሁሉ በመንደሩ ውስጥ ሠሩ ጀበና። ከዚያም", "ጀበና"),
        ("hy", "Նրանք բոլորը միասին պատրաստեցին կժեր։ Ապա", "կժեր"),
    ],
)
def test_a_topic_leaves_the_mark_of_its_sentence_behind(tag: str, text: str, word: str) -> None:
    requests = [
        Request((Message("user", str(i)),), language=tag, inputs={"text": text}) for i in range(60)
    ]
    stock = read_stocks(STOCKS)[tag]
    said = " ".join(reply.text for reply in all_of(MODEL, requests))
    assert stock.lifted.format(word) in said
    assert stock.lifted.format(word + text[text.index(word) + len(word)]) not in said


def test_the_language_that_is_translated_from_is_no_topic() -> None:
    requests = [
        Request((Message("user", str(i)),), language="sw", inputs={"origin": "English"})
        for i in range(60)
    ]
    assert not any("English" in reply.text for reply in all_of(MODEL, requests))


def test_english_material_does_not_leak_into_another_language() -> None:
    requests = [
        Request((Message("user", str(i)),), language=tag, inputs={"rules": ENGLISH[1]})
        for i in range(40)
        for tag in ("de", "zh")
    ]
    said = {word for reply in all_of(MODEL, requests) for word in tokens(reply.text)}
    assert not {"orchard", "walnut", "barn", "grandmother"} & said


@pytest.mark.parametrize(
    ("tag", "text"),
    [
        ("wo", "Nit ñépp danuy juddu, yam ci tawfeex ci sag ak sañ-sañ. Nekk na it ku xam."),
        ("bo", "འགྲོ་བ་མིའི་རིགས་རྒྱུད་ཡོངས་ལ་སྐྱེས་ཙམ་ཉིད་ནས་ཆེ་མཐོང་དང་ཐོབ་ཐངའི་རང་དབང་འདྲ་མཉམ་དུ་ཡོད།"),
        ("ti", "ብመንፅር ክብርን መሰልን ኩሎም ሰባት እንትውለዱ ሓራን ማዕሪን እዮም።"),
        ("zh-Hant", "人人生而自由，在尊嚴和權利上一律平等。他們賦有理性和良心。"),
    ],
)
def test_a_language_without_phrases_uses_words_of_the_inputs_only(tag: str, text: str) -> None:
    given = set(tokens(text))
    forms = ("text", "instruction", "label")
    for seed in range(30):
        for form in forms:
            said = ask(seed=seed, form=form, language=tag, inputs={"document": text}).text
            assert set(tokens(said)) <= given, said
            assert said


@pytest.mark.parametrize("text", ENGLISH)
def test_english_inputs_are_no_words_of_a_language_without_phrases(text: str) -> None:
    wolof = "Nit ñépp danuy juddu, yam ci tawfeex ci sag ak sañ-sañ. Nekk na it ku xam."
    for seed in range(20):
        alone = ask(language="wo", form="instruction", seed=seed, inputs={"task": text}).text
        assert regex.fullmatch(r"(wo-\d+[ .]){6,}", alone)
        inputs = {"task": text, "document": wolof}
        beside = ask(language="wo", form="instruction", seed=seed, inputs=inputs).text
        assert set(tokens(beside)) <= set(tokens(wolof))


def test_a_language_without_phrases_or_inputs_gets_numbered_tags() -> None:
    said = ask(language="wo", form="instruction").text
    assert regex.fullmatch(r"(wo-\d+[ .]){6,}", said)


@pytest.mark.parametrize("inputs", [{}, {"document": ""}, {"n": 3, "list": [], "map": {}}])
@pytest.mark.parametrize("language", ["en", "zh", "wo"])
def test_empty_inputs_are_answered(inputs: dict[str, Any], language: str) -> None:
    assert ask(language=language, inputs=inputs).text


@pytest.mark.parametrize("language", ["en", "zh", "wo"])
def test_a_very_long_input_is_answered_at_once(language: str) -> None:
    text = "雨水落在稻田里。" * 25_000 if language == "zh" else "rain falls on rice " * 11_000
    requests = [
        Request((Message("user", "x"),), seed=seed, language=language, inputs={"document": text})
        for seed in range(100)
    ]
    started = time.perf_counter()
    all_of(MODEL, requests)
    assert (time.perf_counter() - started) / 100 < 0.01  # about 0.1 ms on an idle machine


def test_tokens_are_counted_and_a_limit_cuts_and_says_so() -> None:
    whole, cut = ask(), ask(sampling={"max_tokens": 5})
    assert whole.tokens_out == -(-len(whole.text.encode()) // 4)
    assert whole.tokens_in == 2
    assert not whole.truncated
    assert cut.truncated
    assert cut.tokens_out == 5


def test_a_stop_sequence_ends_the_reply_without_marking_it_cut() -> None:
    reply = ask("1. a", form="numbered_list", sampling={"stop": ["\n4."]})
    assert reply.text.splitlines()[-1].startswith("3. ")
    assert not reply.truncated


def faulty(**rates: float) -> Rehearsal:
    return Rehearsal(STOCKS, Faults(**rates))


@pytest.mark.parametrize("kind", TYPES, ids=str)
def test_malformed_json_cannot_be_read(kind: Any) -> None:
    model, schema = faulty(malformed=1), Prompt("any", reply=kind).schema
    for seed in range(40):
        with pytest.raises(json.JSONDecodeError):
            json.loads(ask(model=model, seed=seed, schema=schema).text)


def test_malformed_text_has_no_numbers_or_an_open_fence() -> None:
    model = faulty(malformed=1)
    assert not regex.search(r"^\d", ask(model=model, form="numbered_list").text, regex.M)
    assert ask(model=model).text.count("```") == 1


def test_a_refusal_declines_in_the_language_and_inside_json() -> None:
    model, stock = faulty(refusal=1), read_stocks(STOCKS)["es"]
    assert ask(model=model, language="es", form="numbered_list").text in stock.refusals
    prompt = Prompt("any", reply=Step)
    step = prompt.read(ask(model=model, language="es", schema=prompt.schema).text)
    assert any(step.instruction == refusal[:60] for refusal in stock.refusals)


def test_a_repeat_says_one_sentence_over_and_over() -> None:
    text = ask(model=faulty(repeat=1), language="zh").text
    sentence = text[: text.index("。") + 1]
    assert text.count(sentence) >= 10
    assert text.replace(sentence, "") == ""


def test_the_wrong_language_is_another_one() -> None:
    model = faulty(wrong_language=1)
    requests = [Request((Message("user", str(i)),), language="th") for i in range(100)]
    assert all(in_script(reply.text, "Thai") < 0.1 for reply in all_of(model, requests))


def test_an_empty_reply_is_empty_whatever_the_form() -> None:
    model = faulty(empty=1)
    assert ask(model=model, schema={"type": "object"}).text == ask(model=model).text == ""


def test_a_truncated_reply_is_the_beginning_of_the_whole_and_marked() -> None:
    whole, cut = ask(), ask(model=faulty(truncated=1))
    assert whole.text.startswith(cut.text)
    assert len(cut.text) < len(whole.text)
    assert cut.truncated


@pytest.mark.parametrize("fault", list(Faults.model_fields))
def test_a_fault_comes_as_often_as_it_should(fault: str) -> None:
    model, n = faulty(**{fault: 0.3}), 1000
    requests = [Request((Message("user", str(i)),), language="hi") for i in range(n)]
    pairs = zip(all_of(model, requests), all_of(MODEL, requests), strict=True)
    changed = sum(reply != right for reply, right in pairs) / n
    assert 0.255 < changed < 0.345


def test_faults_share_out_and_leave_the_rest_as_it_was() -> None:
    model = faulty(empty=0.2, truncated=0.3)
    requests = [Request((Message("user", str(i)),)) for i in range(1000)]
    seen = Counter("empty" if not r.text else r.truncated for r in all_of(model, requests))
    assert 160 < seen["empty"] < 240
    assert 255 < seen[True] < 345


@pytest.mark.parametrize(
    "rates", [{"refusal": 1.5}, {"refusal": -0.1}, {"refusal": 0.6, "empty": 0.6}, {"typo": 0.1}]
)
def test_rates_that_cannot_be_are_refused(rates: dict[str, float]) -> None:
    with pytest.raises(ValidationError):
        Faults(**rates)


def test_missing_and_damaged_stocks_are_the_users_to_fix(tmp_path: Path) -> None:
    with pytest.raises(JobError, match="no phrase stocks"):
        Rehearsal(tmp_path)
    (tmp_path / "xx.yaml").write_text("script: Latin\ntypo: 1\n")
    with pytest.raises(JobError, match=r"xx\.yaml: "):
        Rehearsal(tmp_path)


def test_one_file_is_one_language() -> None:
    model = Rehearsal(STOCKS / "sw.yaml")
    assert model.languages == ("sw",)
    assert ask(model=model, language="sw").text == ask(language="sw").text


def test_a_regional_tag_uses_the_languages_phrases() -> None:
    assert in_script(ask(language="zh-Hans-CN").text, "Han") > 0.9
    assert in_script(ask(language="ar_EG").text, "Arabic") > 0.9
