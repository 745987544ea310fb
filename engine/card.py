"""The dataset card: what the data is, how it was made, and what speaks against using it.

Front matter for the hub, then Markdown for people. It states counts, never praise; it puts a
rehearsal at the very top; and it repeats the job file, in which secrets are blanked, because a
card is published.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import yaml

from engine import licences
from engine.core import REHEARSAL

SIZES = {"n<1K": 1e3, "1K<n<10K": 1e4, "10K<n<100K": 1e5, "100K<n<1M": 1e6, "1M<n<10M": 1e7}
"""The hub's size categories and where each ends."""
LICENCES = frozenset(
    {"apache-2.0", "mit", "bsd-3-clause", "gpl-3.0", "cc0-1.0", "pddl", "odc-by", "odbl"}
    | {"cc-by-3.0", "cc-by-4.0", "cc-by-sa-3.0", "cc-by-sa-4.0", "cc-by-nd-4.0"}
    | {"cc-by-nc-4.0", "cc-by-nc-sa-4.0", "cc-by-nc-nd-4.0", "cdla-permissive-2.0"}
)
"""Licences the hub has a name for; it refuses a card with any other."""


@dataclass(frozen=True, slots=True)
class Stage:
    """One line of the funnel."""

    step: str
    entered: int
    kept: int
    """Records that left it; more than entered where a step makes several of one."""
    dropped: Mapping[str, int] = field(default_factory=dict)
    """Records by reason."""


@dataclass(frozen=True, slots=True)
class About:
    """All that a card says, as plain values."""

    name: str
    """The job's name."""
    job: str
    """The job file, as text."""
    engine: str
    """The engine's version."""
    format: str
    splits: Mapping[str, int]
    """Split name to its number of records."""
    pattern: str
    """Where a split's files lie, e.g. ``data/{split}-*.parquet``: the sink's."""
    languages: Mapping[str, int]
    """BCP-47 tag to its number of records."""
    models: Mapping[str, Sequence[str]]
    """Name in the job to the models that answered under it, as their servers reported them."""
    prompts: Sequence[str]
    """Versions of the prompts that were asked, e.g. ``evol_instruct/deepen@9f3c2a``."""
    funnel: Sequence[Stage]
    licences: Mapping[str, str]
    """Source name to the licence the job states for it; empty: not stated."""
    rehearsal: bool
    """Whether the embedded model answered for any record."""
    target: int | None = None
    """Records the job asked for."""
    stated: Mapping[str, str] = field(default_factory=dict)
    """Name in the job to the licence it states for that model's output; left out: not stated."""
    sizes: Mapping[str, int] = field(default_factory=dict)
    """Split name to the bytes of its text, as UTF-8."""
    mixes: Sequence[tuple[str, str, Sequence[Sequence[object]]]] = ()
    """Of each step with a plan of languages: its name, the kind of plan, a line a language."""

    @property
    def records(self) -> int:
        """Records in all splits."""
        return sum(self.splits.values())


def card(about: About) -> str:
    """The text of ``README.md``."""
    front = yaml.safe_dump(_front(about), sort_keys=False, allow_unicode=True, width=1000)
    sections = [
        f"# {_line(about.name)}",
        *_warning(about),
        _summary(about),
        *_rows(about),
        *_mixes(about),
        *_making(about),
        *_licences(about),
        *_limits(about),
        *_job(about),
    ]
    return f"---\n{front}---\n\n" + "\n\n".join(sections) + "\n"


def _front(about: About) -> dict[str, Any]:
    tags = [tag for tag in about.languages if tag and not tag.startswith("und")]
    files = [{"split": split, "path": about.pattern.format(split=split)} for split in about.splits]
    front: dict[str, Any] = {
        "pretty_name": about.name,
        "license": _licence(about),
        "language": sorted({tag.split("-")[0] for tag in tags}),
        "language_bcp47": sorted(tags) if any("-" in tag for tag in tags) else [],
        "task_categories": ["text-generation"],
        "tags": ["synthetic", "synth-engine", *([REHEARSAL] if about.rehearsal else [])],
        "size_categories": [_size(about.records)],
        "configs": [{"config_name": "default", "data_files": files}] if files else [],
        "dataset_info": {"splits": [_split(about, split) for split in about.splits]},
    }
    return {key: value for key, value in front.items() if value}


def _split(about: About, name: str) -> dict[str, Any]:
    """A split's size, by which ``datasets`` sees that what it has cached was written anew."""
    return {"name": name, "num_bytes": about.sizes.get(name, 0), "num_examples": about.splits[name]}


def _licence(about: About) -> str:
    """The one licence of all sources, where the hub knows it; models' licences come on top."""
    stated = {licence.lower() for licence in about.licences.values()}
    return next(iter(stated)) if len(stated) == 1 and stated <= LICENCES else ""


def _size(records: int) -> str:
    return next((name for name, end in SIZES.items() if records < end), "n>10M")


def _warning(about: About) -> Iterator[str]:
    if about.rehearsal:
        yield (
            "> **REHEARSAL. Do not train on this.** Some or all of these records were written by "
            "the engine's embedded rehearsal model, which strings stock phrases together to try "
            "out a job. They are marked `rehearsal: true` and show the shape of the data, not "
            "its quality."
        )


def _summary(about: About) -> str:
    count, many = about.records, len(about.languages)
    wanted = f" of {about.target:,} asked for" if about.target is not None else ""
    return (
        f"{count:,} {'record' if count == 1 else 'records'}{wanted}, in {many} "
        f"{'language' if many == 1 else 'languages'}, as `{about.format}`. Synthetic: made by "
        f"the job at the end of this page with synth-engine {_line(about.engine)}."
    )


def _rows(about: About) -> Iterator[str]:
    yield "## Splits and languages"
    yield _table(("Split", "Records"), about.splits.items())
    yield _table(("Language", "Records"), sorted(about.languages.items(), key=_most_first))
    yield (
        "Every row has `id`, `language`, `source`, `licence`, `rehearsal`, `models` (who "
        "answered), `lineage` (each step with its parent record and model calls) and `facts` "
        "(what else is known, as JSON)."
    )


def _mixes(about: About) -> Iterator[str]:
    for step, kind, lines in about.mixes:
        yield f"## Plan of languages: {_line(step)} ({_line(kind)})"
        yield _table(("Language", "Planned", "There were", "Repetition", "Records"), lines)
        yield "Repetition is planned by there were: how often a record is meant, on average."


def _making(about: About) -> Iterator[str]:
    yield "## How it was made"
    yield (
        "Seeds pass the steps in this order. A step may make several records of one; every "
        "record that did not go on is counted with the reason."
    )
    lines = ((s.step, s.entered, s.kept, _reasons(s.dropped)) for s in about.funnel)
    yield _table(("Step", "In", "Kept", "Dropped, by reason"), lines)
    yield "### Models"
    answered = ((name, ", ".join(models)) for name, models in about.models.items())
    yield _table(("Name in the job", "What answered"), answered)
    yield "### Prompts"
    yield "\n".join(f"- `{_line(prompt)}`" for prompt in about.prompts) or "None were asked."


def _reasons(dropped: Mapping[str, int]) -> str:
    return ", ".join(f"{why} {n:,}" for why, n in sorted(dropped.items(), key=_most_first)) or "-"


def _licences(about: About) -> Iterator[str]:
    yield "## Licences"
    sources, models = licences.every(about.licences, about.models, about.stated)
    yield from licences.warnings([*sources, *models])
    head = ("Licence or terms", "Training on it")
    yield _table(("Source", *head), ((t.of, t.terms or "not stated", t.said) for t in sources))
    if models:
        yield _table(("Model", *head), ((t.of, t.terms or "not known", t.said) for t in models))
    yield (
        "Licences are those that the job states for its sources and models; where it states none "
        "for a model, its terms are guessed from its name. This is a reading aid, no legal advice."
    )


def _limits(about: About) -> Iterator[str]:
    yield "## Limitations"
    limits = [
        "The text is machine-written. Statements of fact were not checked by people.",
        "Filters and verifiers remove what they were built to find; what passed is not proven "
        "correct, safe or unbiased. The models' own gaps and biases are in the data.",
        "Fluency differs between languages; nothing here shows that the small ones are as good "
        "as the large ones.",
        "Overlap with public benchmarks was removed only where the job below has a step for it.",
    ]
    if about.target is not None and about.records < about.target:
        limits.append(f"The job asked for {about.target:,} records; {about.records:,} were kept.")
    yield "\n".join(f"- {limit}" for limit in limits)


def _job(about: About) -> Iterator[str]:
    text = without_secrets(about.job).rstrip("\n")
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    yield "## The job"
    yield f"{fence}yaml\n{text}\n{fence}"


def without_secrets(job: str) -> str:
    """The job file with every literal ``api_key`` and every password in a URL blanked.

    ``${VAR}`` stays: it names a secret and is none. Read with YAML's own parser, so that no
    spelling of a key (quoted, folded, in braces) slips through.
    """
    spans = sorted(_secrets(yaml.compose(job, yaml.SafeLoader)), reverse=True)
    for start, end in spans:
        tail = "\n" if job[start:end].endswith("\n") else ""  # a folded value ends with its line
        job = f"{job[:start]}'***'{tail}{job[end:]}"
    return re.sub(r"(\w://)[^\s/@'\"]+@", r"\1***@", job)


def _secrets(root: yaml.Node | None) -> Iterator[tuple[int, int]]:
    waiting: list[yaml.Node | None] = [root]
    seen: set[int] = set()
    while waiting:
        node = waiting.pop()
        if node is None or id(node) in seen:
            continue
        seen.add(id(node))
        if isinstance(node, yaml.SequenceNode):
            waiting += node.value
        elif isinstance(node, yaml.MappingNode):
            for key, value in node.value:
                if key.value == "api_key" and isinstance(value, yaml.ScalarNode):
                    if not re.fullmatch(r"\$\{\w+\}", value.value.strip()):
                        yield value.start_mark.index, value.end_mark.index
                else:
                    waiting.append(value)


def _table(head: Sequence[str], lines: Any) -> str:
    body = [[_cell(value) for value in line] for line in lines]
    rows = [list(head), ["---"] * len(head), *(body or [["-"] * len(head)])]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _cell(value: object) -> str:
    return f"{value:,}" if isinstance(value, int) else _line(str(value)).replace("|", "\\|")


def _line(text: str) -> str:
    """On one line, and as text: names come from jobs and servers and could hold anything."""
    return " ".join(text.split()).replace("<", "&lt;").replace("`", "'")


def _most_first(item: tuple[str, int]) -> tuple[int, str]:
    return -item[1], item[0]
