"""On what every generator is tried in seven languages: seeds, settings and what models reply.

A trial makes its seeds in the same way in every language, of the rows, documents and aligned texts
that travel with the shipped jobs. The rehearsal model replies; only where a reply has to be a
program, or a certain verdict, a script does.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Any

from engine import shipped
from engine.core import Json, Message, Record
from engine.kit import Pass
from engine.languages.tags import base
from engine.models.chat import Request
from engine.models.fake import Script
from engine.passes import cross_in_pairs, mosaic_rows
from engine.sources.dataset_folders import SOURCE as DATASETS
from engine.text.partners import carried
from engine.text.phrases import phrase_lists, phrases_for
from tests.conftest import read, settle
from tests.filters.samples import GOOD
from tests.generators.test_sql_execution import TABLES

LANGUAGES = ("en", "de", "zh", "ar", "hi", "th", "sw")
JOBS = shipped.JOBS
SEEDS = 3
"""Of most trials: enough for one to get past what a model may refuse."""


def other(language: str) -> str:
    """The language beside, for what takes two: never the one that is tried."""
    return "de" if language == "en" else "en"


def turns(record: Record) -> list[str]:
    """Everything that is said, by whomever."""
    return [message.content for message in record.messages]


def asked(record: Record) -> list[str]:
    """What the user says."""
    return [message.content for message in record.messages if message.role == "user"]


def answered(record: Record) -> list[str]:
    """What the assistant says."""
    return [message.content for message in record.messages if message.role == "assistant"]


def facts(*names: str) -> Callable[[Record], list[str]]:
    """What is said in facts."""

    def texts(record: Record) -> list[str]:
        return [text for name in names for text in _said(record.facts[name])]

    return texts


@dataclass(frozen=True)
class Trial:
    """How a generator is tried in a language."""

    seeds: Callable[[str], Sequence[Record]]
    params: Callable[[str], Mapping[str, Any]] = lambda language: {}
    script: Callable[[str], Mapping[str, Script]] = lambda language: {}
    """Prompt -> what is replied to it; the rehearsal model replies to all others."""
    texts: Callable[[Record], Iterable[str]] = turns
    """What of a record has to be in the language."""
    beside: Callable[[str], Iterable[str]] = lambda language: ()
    """Other languages that the method goes by way of: requests may be in them, and name them."""


# -- texts in a language ---------------------------------------------------------------------


@lru_cache
def rows(name: str) -> Mapping[str, list[dict[str, Any]]]:
    """Language -> the rows of a shipped job's input."""
    found: dict[str, list[dict[str, Any]]] = {}
    for line in (JOBS / "seeds" / name).read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        found.setdefault(row["language"], []).append(row)
    return found


def tasks(language: str) -> list[dict[str, Any]]:
    """Human tasks: instruction, input and output."""
    return rows("quickstart_tasks.jsonl")[language]


@lru_cache
def aligned(language: str) -> list[str]:
    """Sentences that say the same in every language."""
    [path] = (p for p in (JOBS / "aligned").glob("*.txt") if base(p.stem) == language)
    return [line for line in path.read_text(encoding="utf-8").splitlines() if line]


@lru_cache
def nouns(language: str) -> list[str]:
    """Names of things."""
    stock = shipped.read(shipped.folder("taxonomies") / "rehearsal" / f"{language}.yaml")
    return [noun.strip() for noun in stock["nouns"].replace("\n", ";").split(";") if noun.strip()]


@lru_cache
def passages(language: str) -> list[str]:
    """Some sentences on one thing."""
    files = sorted((JOBS / "documents").glob(f"{language}-*.md"))
    return [*(file.read_text(encoding="utf-8") for file in files), GOOD[language][1]]


def _said(value: Json) -> list[str]:
    return [value] if isinstance(value, str) else [text for each in value for text in _said(each)]


# -- seeds -----------------------------------------------------------------------------------


def record(language: str, n: int, *said: str, **known: Any) -> Record:
    """A record with a turn of the user, perhaps one of the assistant, and facts."""
    roles = ("user", "assistant")
    messages = tuple(Message(role, text) for role, text in zip(roles, said, strict=False))  # type: ignore[arg-type]
    return Record(f"{language}{n}", language, messages, known)


def blank(language: str) -> list[Record]:
    return [record(language, n) for n in range(3)]


def instructions(language: str) -> list[Record]:
    return [
        record(language, n, task["instruction"]) for n, task in enumerate(tasks(language)[:SEEDS])
    ]


def questions(language: str) -> list[Record]:
    """Tasks with their input beside them."""
    return [_whole(language, n, task) for n, task in enumerate(tasks(language)[:SEEDS])]


def pairs(language: str) -> list[Record]:
    """Tasks with their output."""
    whole = enumerate(tasks(language)[:SEEDS])
    return [_whole(language, n, task, task["output"]) for n, task in whole]


def _whole(language: str, n: int, task: Mapping[str, str], *answer: str) -> Record:
    known = {"instruction": task["instruction"], "input": task["input"]}
    return record(
        language, n, f"{task['instruction']}\n\n{task['input']}".strip(), *answer, **known
    )


def draws(language: str) -> list[Record]:
    """Sets of human tasks to be shown."""
    known = tasks(language)
    return [record(language, n, demonstrations=known[n : n + 5]) for n in range(3)]


def documents(language: str) -> list[Record]:
    """Each twice: a model may say something else of it."""
    twice = enumerate(2 * passages(language))
    return [record(language, n, document=text) for n, text in twice]


def with_facts(**made: Callable[[str, int], Any]) -> Callable[[str], list[Record]]:
    """Records with facts and nothing else."""

    def seeds(language: str) -> list[Record]:
        each = ({name: make(language, n) for name, make in made.items()} for n in range(SEEDS))
        return [record(language, n, **known) for n, known in enumerate(each)]

    return seeds


def adding(
    seeds: Callable[[str], list[Record]], **made: Callable[[str, int], Any]
) -> Callable[[str], list[Record]]:
    """The same records with more facts."""

    def richer(language: str) -> list[Record]:
        return [
            each.with_facts(**{name: make(language, n) for name, make in made.items()})
            for n, each in enumerate(seeds(language))
        ]

    return richer


def first(seeds: Callable[[str], list[Record]]) -> Callable[[str], list[Record]]:
    """One seed only, where each takes its time and none is lost by chance."""
    return lambda language: seeds(language)[:1]


def noun(language: str, n: int) -> str:
    return nouns(language)[n]


def several(language: str, n: int) -> list[str]:
    return nouns(language)[n : n + 3]


def sentences(language: str, n: int) -> list[str]:
    return aligned(language)[n : n + 3]


def sentence(language: str, n: int) -> str:
    return aligned(language)[n]


def constraints(language: str) -> list[Record]:
    """Conditions on the form of an answer, with queries to put them to."""
    listed = phrases_for(phrase_lists("auto_if.yaml"), "constraints", language)
    return [record(language, 0, listed[0], demonstrations=tasks(language))]


def chains(language: str) -> list[Record]:
    """Tasks of one sentence, of which each can go on from the one before."""
    links = [{"id": str(n), "task": each["instruction"]} for n, each in enumerate(_short(language))]
    walk = {"tasks": links[:2], "relevant": True}
    return [each.with_facts(chains=[walk]) for each in pairs(language)]


def _short(language: str) -> list[dict[str, Any]]:
    return sorted(tasks(language), key=lambda task: len(task["instruction"]))


def partners(language: str, n: int) -> list[dict[str, Any]]:
    return [
        {"id": str(at), "task": each["instruction"], "leads": True, "input": each["input"]}
        for at, each in enumerate(tasks(language)[:3])
    ]


def merging(language: str) -> list[Record]:
    """Each with the next one as its partner."""
    together = pairwise(pairs(language))
    return [each.with_facts(partner=carried(mate)) for each, mate in together]


def courses(language: str, n: int) -> list[dict[str, Any]]:
    named = nouns(language)
    return [
        {"title": named[at], "description": sentence(language, at), "concepts": named[at : at + 4]}
        for at in range(n, n + 4)
    ]


def of_kinds(language: str, n: int) -> list[dict[str, str]]:
    kinds = zip(("content", "style", "number"), sentences(language, n), strict=True)
    return [{"kind": kind, "text": text} for kind, text in kinds]


def with_segments(language: str) -> list[Record]:
    """An instruction of some sentences, each of them in another language, too."""
    there = aligned(other(language))
    both = [{"text": a, other(language): b} for a, b in zip(aligned(language), there, strict=True)]
    return [
        record(
            language,
            n,
            "\n".join(sentences(language, n)),
            GOOD[language][1],
            segments=both[n : n + 3],
        )
        for n in range(SEEDS)
    ]


def foreign_questions(language: str) -> list[Record]:
    """Questions in another language, that are to be answered in this one."""
    return instructions(other(language))


def crossing(language: str) -> list[Record]:
    """Questions in another language and the request for this one, with answers to rank."""
    return [
        record(
            language, n, f"{sentence(other(language), n)}\n{sentence(language, n)}",
            responses=passages(language), instruction_language=other(language),
        )
        for n in range(SEEDS)
    ]  # fmt: skip


def with_quotes(language: str) -> list[Record]:
    """A fact of a document, and the words in it that say so."""
    found = []
    for n, text in enumerate(2 * passages(language)):
        quote = max(text.splitlines(), key=len)
        known = {"quote": quote, "quote_span": [text.index(quote), text.index(quote) + len(quote)]}
        found.append(record(language, n, document=text, statement=quote, **known))
    return found


def articles(language: str) -> list[Record]:
    """News: headline, lead and report."""
    parts = with_facts(headline=sentence, lead=sentence, body=lambda tag, n: passages(tag)[n % 3])
    return parts(language)


def bitexts(language: str) -> list[Record]:
    there = other(language)
    both = enumerate(zip(aligned(there), aligned(language), strict=True))
    return [
        record(language, n, source_language=there, source_text=a, target_text=b, number=n)
        for n, (a, b) in both
    ][:SEEDS]


def foreign(language: str) -> list[Record]:
    """Rows in another language, that are to be brought into this one."""
    return pairs(other(language))


def crossed(language: str) -> list[Record]:
    """What a pass makes of the same rows in two languages."""
    same = [
        record(tag, n, "\n".join(aligned(tag)[n : n + 2]), aligned(tag)[n + 2], parallel_id=str(n))
        for tag in (other(language), language) for n in range(6)
    ]  # fmt: skip
    weights = {other(language): {language: 1}}
    return _kept(cross_in_pairs.PASS, same, size=6, weights=weights, short="wait")


def mosaics(language: str) -> list[Record]:
    return _kept(mosaic_rows.PASS, pairs(language), epochs=2, most=3)


def _kept(kind: Pass[Any], given: Sequence[Record], **params: Any) -> list[Record]:
    return [each for each in settle(kind, given, **params) if isinstance(each, Record)]


def tables(language: str, n: int) -> list[dict[str, Any]]:
    """Rows of a table, each as many fields."""
    table = TABLES[language]
    return [dict(zip(table["columns"], row, strict=True)) for row in table["rows"]]


def columns(*at: int) -> Callable[[str, int], list[str]]:
    return lambda language, n: [TABLES[language]["columns"][number] for number in at]


def examples(language: str, n: int) -> list[dict[str, str]]:
    found = [
        {"input": t["input"], "output": t["output"], "explanation": ""} for t in tasks(language)
    ]
    return [each for each in found if each["input"]][:2]


def manuals(language: str) -> list[Record]:
    """A title with steps, and questions with an answer."""
    [how] = rows("how_to.jsonl")[language]
    said = [record(language, n, *GOOD[language]) for n in range(1, 4)]
    return [record(language, 0, how["title"], steps=how["steps"]), *said]


@lru_cache
def _datasets() -> list[Record]:
    return list(read(DATASETS, JOBS, path="tables/datasets", per="row"))


def annotated(language: str) -> list[Record]:
    return [each for each in _datasets() if base(each.language) == language][:SEEDS]


# -- the table -------------------------------------------------------------------------------

AGREES = "def evaluate(response):\n    return len(response) > {n}"
CASES = [{"input": "x" * n, "output": True} for n in (40, 50, 60)]
CHECKERS = [json.dumps({"func": AGREES.format(n=n), "cases": CASES}) for n in range(3)]
PROGRAM = """{said}

```python
def add(a, b):
    return a + b
```

<tests>

```python
assert add(1, 2) == 3
assert add(-1, 1) == 0
```
"""


EASY = ("keywords:forbidden_words", "length_constraints:number_words")
"""Constraints that a reply of the rehearsal may meet."""


def there(language: str) -> list[str]:
    return [other(language)]


def said(prompt: str, **values: Any) -> dict[str, Script]:
    """A script with one reply, in JSON."""
    return {prompt: json.dumps(values)}


def diagnosed(language: str) -> dict[str, Script]:
    weak = sentence(language, 0)
    return said("subject_diagnose/compare", reason="It is short.", correct=False, weakness=weak)


def programmed(language: str) -> dict[str, Script]:
    concepts = said("self_code_align/concepts", sound=True, concepts=several(language, 0))
    return {**concepts, "self_code_align/respond": PROGRAM.format(said=GOOD[language][1])}


def complies(language: str) -> dict[str, Script]:
    fine = {"along_dimension": True, "answerable": True}
    return said("subject_evolve/validate", reason="It goes on from the parent.", **fine)


def sound(language: str) -> dict[str, Script]:
    fine = dict.fromkeys(("feasible", "consistent", "complete", "expressed"), True)
    return said("task_centric/validate", note="", **fine)


def grounded(language: str) -> dict[str, Script]:
    """A claim that is the quotation, to another task each time."""

    def write(request: Request) -> str:
        quote = request.inputs["quote"]
        wanted = tasks(language)[len(quote) % SEEDS]["instruction"]
        claims = [{"claim": quote, "quote": quote}]
        return json.dumps({"instruction": wanted, "claims": claims})

    fine = [{"reason": "It says so.", "supported": True}]
    return {
        "cultural/write": write,
        **said("cultural/verify", claims=fine, answers_instruction=True),
    }


def all_translated(language: str) -> dict[str, Script]:
    both = {"input": "translate", "response": "translate", "kept_spans": []}
    return said("selective_translation/decide", reason="It is ordinary.", kind="free", **both)


TRIALS: dict[str, Trial] = {
    **dict.fromkeys(
        ("auto_evol", "self_instruct_instances", "task_centric_parts"), Trial(questions)
    ),
    **dict.fromkeys(
        ("bactrian", "codec_instructions", "conifer_answers", "conifer_questions", "glan_answers",
         "okapi_responses", "respond", "sequential_instructions", "subject_dialogue"),
        Trial(instructions),
    ),
    **dict.fromkeys(("self_instruct", "unnatural_instructions"), Trial(draws)),
    "alpaca": Trial(draws, lambda language: {"tasks": 10}),
    **dict.fromkeys(
        ("backtranslation", "bonito", "kun", "reverse_instructions"), Trial(documents)
    ),
    "auto_if": Trial(
        constraints,
        lambda language: {"replies": 3, "min_cases": 3},
        lambda language: {"auto_if/checker": CHECKERS, "auto_if/compare": "entailment"},
    ),
    "auto_if_constraints": Trial(blank),
    "auto_if_responses": Trial(
        adding(instructions, checkers=lambda language, n: [AGREES.format(n=0)]),
        lambda language: {"answers": 2, "above": 1},
    ),
    "chain_links": Trial(adding(pairs, task=sentence, partners=partners)),
    "chain_of_instructions": Trial(chains, lambda language: {"natural": 0.5}),
    "chain_tasks": Trial(pairs, lambda language: {"max_words": 30}),
    "code_switch": Trial(
        with_segments, lambda language: {"languages": there(language)}, texts=answered
    ),
    "codec": Trial(
        adding(instructions, use_case=sentence, skills=several),
        lambda language: {"gap": 0, "good": 1, "lead": 9},
    ),
    "conifer": Trial(instructions, script=lambda language: {"conifer/sound": "yes"}),
    "constrained": Trial(
        questions, lambda language: {"answers": 64, "max_constraints": 1, "types": EASY}
    ),
    "cross_in": Trial(crossed, texts=answered),
    "cross_lingual_answers": Trial(
        foreign_questions, lambda language: {"into": {language: 1}}, texts=facts("responses"),
        beside=there,
    ),
    "cross_lingual_cot": Trial(
        instructions, lambda language: {"languages": there(language)}, texts=asked, beside=there
    ),
    "cross_lingual_feedback": Trial(crossing, texts=answered, beside=there),
    "cross_lingual_forms": Trial(
        articles, lambda language: {"languages": {other(language): 1}}, texts=answered
    ),
    "cross_lingual_span": Trial(
        documents, lambda language: {"languages": {other(language): 1}}, texts=answered,
        beside=there,
    ),
    "cultural": Trial(with_quotes, script=grounded),
    "cultural_facts": Trial(documents, texts=facts("statement", "quote")),
    "cycle_instruct": Trial(
        with_facts(segment=sentence, side=lambda language, n: ("question", "answer")[n % 2])
    ),
    "dynosaur": Trial(
        adding(instructions, rows=tables, input_fields=columns(0), output_fields=columns(1)),
        texts=facts("instruction"),
    ),
    "dynosaur_tasks": Trial(with_facts(rows=tables, title=noun, summary=sentence)),
    "evol_instruct": Trial(questions, lambda language: {"rounds": 2}),
    "glan_questions": Trial(with_facts(subject=noun, syllabus=courses)),
    "glan_subjects": Trial(
        with_facts(names=several), lambda language: {"samples": 2, "count": 4},
        texts=facts("subject", "introduction", "subtopics"),
    ),
    "glan_syllabus": Trial(
        with_facts(subject=noun, discipline=noun, introduction=sentence, subtopics=several)
    ),
    "localise": Trial(foreign_questions, lambda language: {"into": [language]}, beside=there),
    "long_needles": Trial(first(documents), lambda language: {"budgets": [1024]}),
    "merge": Trial(merging),
    "meta_template": Trial(annotated, texts=facts("context")),
    "mosaic": Trial(mosaics),
    "muri": Trial(documents, lambda language: {"pivot": other(language)}, beside=there),
    "okapi": Trial(
        adding(instructions, responses=lambda language, n: passages(language)),
        lambda language: {"pivot": other(language)}, beside=there,
    ),
    "pivot": Trial(
        foreign, lambda language: {"targets": [language]}, texts=facts("instruction", "response"),
        beside=there,
    ),
    "self_code_align": Trial(
        first(with_facts(snippet=lambda language, n: "def half(n):\n    return n / 2")),
        lambda language: {"responses": 1},
        programmed,
    ),
    "selective_translation": Trial(pairs, script=all_translated),
    "sql_execution": Trial(
        with_facts(table=lambda language, n: TABLES[language]), texts=facts("instruction")
    ),
    "step_by_step": Trial(
        with_facts(definition=sentence, steps=sentences, examples=examples, instances=examples)
    ),
    "step_procedures": Trial(
        with_facts(definition=sentence, examples=examples, instances=examples),
        texts=facts("steps"),
    ),
    "string_rewriting": Trial(blank, texts=facts("instruction")),
    "structured_corpus": Trial(manuals),
    "subject_diagnose": Trial(pairs, script=diagnosed, texts=facts("weakness")),
    "subject_evolve": Trial(questions, script=complies),
    "subject_tags": Trial(instructions, texts=lambda record: record.facts["label"]["tags"]),
    "subject_target": Trial(with_facts(weaknesses=sentences)),
    "task_centric": Trial(
        with_facts(task=noun, query=sentence, constraints=of_kinds),
        lambda language: {"min_score": 1}, sound,
    ),
    "task_centric_states": Trial(
        adding(
            instructions, constraints=of_kinds,
            pool=lambda language, n: of_kinds(language, n + 3),
        )
    ),
    "translate": Trial(foreign, lambda language: {"into": [language]}, beside=there),
    "translation_chain": Trial(
        instructions, lambda language: {"pivot": other(language)}, texts=facts("response"),
        beside=there,
    ),
    "translation_tasks": Trial(bitexts, texts=answered),
    "unnatural_outputs": Trial(
        adding(
            draws, instruction=lambda language, n: tasks(language)[n]["instruction"],
            input=lambda language, n: tasks(language)[n]["input"] or sentence(language, n),
            constraints=sentence,
        )
    ),
}  # fmt: skip
"""How each generator is tried; whoever adds a generator says it here."""
