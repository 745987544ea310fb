"""What models reply when they are asked to make an instruction sequential, read as it comes.

Source: Hu, Yu, Chen, Ponti, "Fine-tuning Large Language Models with Sequential Instructions",
2024, arXiv:2403.07794 (its released code: the order in which an option is looked for, the text
after the last label).
Differs: letters and colons of full width are read, too; a label in bold type is a label.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from functools import lru_cache
from typing import Literal

import regex

from engine import shipped
from engine.text.leftovers import unwrapped

Option = Literal["A", "B", "C", "D"]
Side = Literal["before", "after"]

END = "###"
"""Ends a reply; what stands behind it is no part of it."""
_OPTION = regex.compile(r"option\W{0,4}([a-dＡ-Ｄａ-ｄ])(?![\p{L}\p{N}])", regex.I)
_LETTER = regex.compile(r"(?<![\p{L}\p{N}.])([A-DＡ-Ｄ])[.．]")
_WORDS: tuple[tuple[str, Option], ...] = (("prefix", "B"), ("suffix", "C"), ("decompose", "A"))
_WIDE = str.maketrans("ＡＢＣＤａｂｃｄ", "ABCDabcd")
_LABEL = regex.compile(r"new\s+instruction", regex.I)
_AROUND = ":：# \t\r\n"


def examples(kind: str, rng: random.Random) -> list[Mapping[str, str]]:
    """The worked examples for a prompt of this name, in a drawn order."""
    found = _examples()[kind]
    return rng.sample(found, len(found))


@lru_cache(maxsize=1)
def _examples() -> Mapping[str, list[Mapping[str, str]]]:
    path = shipped.folder("taxonomies") / "sequential_instructions.yaml"
    return dict(shipped.read(path))


def option(reply: str) -> Option:
    """Which option a reply names: ``option X``, else ``X.``, else its word; else D, keep."""
    text = reply.partition(END)[0]
    for pattern in (_OPTION, _LETTER):
        if found := pattern.search(text):
            return _letter(found[1])
    lowered = text.casefold()
    return next((letter for word, letter in _WORDS if word in lowered), "D")


def new_instruction(reply: str) -> str:
    """The text after the last label; empty where there is none."""
    text = reply.strip()
    *_, last = [None, *_LABEL.finditer(text)]
    if last is None:
        return ""
    said = text[last.end() :].lstrip("*_").lstrip(_AROUND).partition(END)[0].strip(_AROUND)
    return unwrapped(said.removeprefix("**").strip())


def part_off(whole: str, input: str) -> tuple[str, str, Side] | None:
    """Instruction, input and the input's side; ``None`` where it is no end of the whole.

    The input has to stand in the text word for word, at its beginning or its end, with something
    of an instruction left.
    """
    text, given = whole.strip(), input.strip()
    if not given or given == text:
        return None
    if text.endswith(given):
        return text.removesuffix(given).rstrip(), given, "after"
    return (text.removeprefix(given).lstrip(), given, "before") if text.startswith(given) else None


def put_together(instruction: str, input: str, side: Side) -> str:
    """The instruction with its input on the side where it was."""
    if not input:
        return instruction
    return "\n\n".join((input, instruction) if side == "before" else (instruction, input))


def _letter(text: str) -> Option:
    letters: dict[str, Option] = {"A": "A", "B": "B", "C": "C", "D": "D"}
    return letters[text.translate(_WIDE).upper()]
