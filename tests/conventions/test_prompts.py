"""What every prompt file promises."""

from __future__ import annotations

from pathlib import Path

from engine.prompting import Library, Template
from tests.conftest import ROOT
from tests.conventions.tree import every, parts

PROMPTS = ROOT / "prompts"
FILES = sorted(PROMPTS.rglob("*.j2"))
ROLES = {"writer", "judge", "weaker", "translator", "asker", "answerer", "any"}
FORMS = {"text", "numbered_list", "instruction", "label"}
SAMPLING = {"temperature", "top_p", "max_tokens", "stop", "presence_penalty", "frequency_penalty"}
NO_LANGUAGE = {
    "kit/again": "goes on with a conversation that has named its language",
    "bonito/completion": "the form that a trained Bonito model has learnt, and nothing else",
    "evol_instruct/judge": "the reply is one truth value",
    "harm_judge/guard": "a guard model answers in a format of its own",
    "self_instruct_instances/classify": "the reply is one truth value",
}
"""Prompts that do not say which language the reply is to be in, and why they need not."""

every_prompt = every(FILES)


def name_of(file: Path) -> str:
    return f"{file.parent.relative_to(PROMPTS).as_posix()}/{file.name.partition('.')[0]}"


def load(file: Path) -> Template:
    tag = file.name.removesuffix(".j2").partition(".")[2]
    return Library(PROMPTS).load(name_of(file), tag)


@every_prompt
def test_it_can_be_read_and_says_what_it_is_for(file: Path) -> None:
    purpose = load(file).header.purpose
    assert len(purpose.split()) >= 4 and purpose.endswith("."), f"{file}: purpose: a sentence"


@every_prompt
def test_role_form_and_sampling_are_known_ones(file: Path) -> None:
    header = load(file).header
    assert header.role in ROLES, f"{file}: role {header.role!r}, not one of {sorted(ROLES)}"
    assert header.form in FORMS, f"{file}: form {header.form!r}, not one of {sorted(FORMS)}"
    assert header.sampling.keys() <= SAMPLING, f"{file}: {header.sampling.keys() - SAMPLING}"


@every_prompt
def test_a_question_to_a_model_bounds_its_reply(file: Path) -> None:
    if name_of(file) != "kit/again":  # takes over the sampling of the question before it
        sampling = load(file).header.sampling
        assert sampling.get("max_tokens", 0) > 0, f"{file}: no max_tokens"
        assert 0 <= sampling.get("temperature", -1) <= 2, f"{file}: no temperature"


@every_prompt
def test_it_says_which_language_the_reply_is_in(file: Path) -> None:
    named = "language" in load(file).header.inputs
    assert named != (name_of(file) in NO_LANGUAGE), (
        f"{file}: uses the input `language`, or is in NO_LANGUAGE with a reason"
    )


def test_no_exception_outlives_its_prompt() -> None:
    assert set(NO_LANGUAGE) <= set(map(name_of, FILES))


@every_prompt
def test_its_text_is_tidy(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    assert text.endswith("\n") and not text.endswith("\n\n"), f"{file}: ends with one newline"
    loose = [n for n, line in enumerate(text.split("\n"), 1) if line != line.rstrip()]
    assert not loose, f"{file}: trailing blanks in lines {loose}"
    assert "\t" not in text and "\r" not in text, f"{file}: tabs or carriage returns"


@every_prompt
def test_a_variant_takes_its_originals_place_in_every_way(file: Path) -> None:
    """The kit knows the role and the inputs of the plain file only."""
    plain, header = Library(PROMPTS).load(name_of(file)).header, load(file).header
    assert (header.role, header.form) == (plain.role, plain.form), file
    assert set(header.inputs) - {"language"} == set(plain.inputs) - {"language"}, file


@every_prompt
def test_it_belongs_to_a_part_or_to_the_kit(file: Path) -> None:
    owners = {part.name for part in parts("generators", "filters", "verifiers")} | {"kit"}
    folder = file.parent.relative_to(PROMPTS).as_posix()
    assert folder in owners, f"{file}: no part is called {folder}"
