"""Inputs and outputs of a task: which cannot be right, and how they are put to a model.

Source: Wang et al., "Self-Instruct: Aligning Language Models with Self-Generated
Instructions", 2022, arXiv:2212.10560, section 2.2 and the filters of its released code.
Differs: the full-width and the Arabic-script colons count as colons; a spelled-out "no input"
is an empty one.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace

import regex

from engine.text.tokens import is_unspaced

LAYOUTS = (
    "{task}\n\n{input}",
    "{task}\n{input}",
    "{task}\n\n---\n{input}",
    '{task}\n\n"""\n{input}\n"""',
)
"""How an input may follow its task; without words, so in every language."""

LOOSENED = 0.5
"""Share of inputs that lose their label and their blank lines, as in the released code."""
COLONS = (":", "：", "﹕", "︓", "꞉", "܃")
_NO_INPUT = {"none", "n/a", "null", "<noinput>", "(none)", "-"}
"""What models write where an empty input was asked for."""

_LABEL = regex.compile(r"([\p{L}\p{N}][\p{L}\p{M}\p{N}_'’-]{0,39}+)[ \t]?[:：](?![/\p{N}])")
_BLANK_LINES = regex.compile(r"\n(?:[ \t]*\n)+")


@dataclass(frozen=True, slots=True)
class Instance:
    """An input, perhaps empty, and the output to it."""

    input: str
    output: str
    fault: str = ""
    """Why it cannot be used, as the reason of a drop; empty for a sound one."""


def instance(input: str, output: str) -> Instance:
    """What a model wrote, trimmed; ``fault`` says what is wrong with it by itself."""
    given = "" if input.strip().lower() in _NO_INPUT else input.strip()
    return Instance(given, output.strip(), _fault(given, output.strip()))


def _fault(input: str, output: str) -> str:
    if not output:
        return "empty_output"
    if input == output:
        return "input_is_output"
    return "ends_with_colon" if input.endswith(COLONS) or output.endswith(COLONS) else ""


def compared(instances: Sequence[Instance]) -> list[Instance]:
    """The instances of one task with the faults that show only side by side.

    One input with two outputs rules out all of them: the model did not understand the task. Of
    equal ones the first stays.
    """
    outputs = defaultdict[str, set[str]](set)
    for one in instances:
        if not one.fault and one.input:
            outputs[one.input].add(one.output)
    if any(len(several) > 1 for several in outputs.values()):
        return [replace(one, fault=one.fault or "contradictory_outputs") for one in instances]
    return [
        replace(one, fault=one.fault or "duplicate_instance" * (one in instances[:n]))
        for n, one in enumerate(instances)
    ]


def loosened(input: str) -> str:
    """The input without the one label it opens with (``Text: ...``), and without blank lines.

    Half of the inputs are put like this, so that a model does not learn to wait for labels. What
    has several labels is a form and keeps them; what would be empty without its label stays. Where
    words have no spaces between them, only a label on a line of its own is known from a sentence.
    """
    found = {match[1] for match in _LABEL.finditer(input)}
    opened = _LABEL.match(input)
    sure = opened and (not is_unspaced(opened[1]) or input[opened.end() :].startswith("\n"))
    rest = input[opened.end() :].strip() if opened and sure and len(found) == 1 else ""
    return _BLANK_LINES.sub("\n", rest or input)


def laid_out(task: str, input: str, layout: str) -> str:
    """The task with its input in one of ``LAYOUTS``; the task alone where there is no input."""
    return layout.format(task=task, input=input) if input else task
