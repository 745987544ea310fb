"""Rewriting: the rules of the record are applied again, and their result is the response.

Made for what ``string_rewriting`` makes: facts hold the rules, the string and how often rules
apply. The rules are applied by another program than the generator's (a search by regular
expression, letter for letter), so that a mistake in one is found by the other. The instruction has
to show the string and both sides of every rule, and the identity and the family of the rules have
to be those that their sides give.

Source: Zhang, Wang, Charton, "Instruction Diversity Drives Generalization To Unseen Tasks", 2024,
arXiv:2402.10891 (the oracle).
Differs: lists of rules; every row is checked after all other steps.
"""

from __future__ import annotations

import regex
from pydantic import BaseModel

from engine.core import Drop, Outcome, Record
from engine.kit import Kit, Verifier
from engine.symbolic.rewriting import Rule, RuleError, listed, rule_id

MODES = ("one", "step", "repeat")


class Params(BaseModel, extra="forbid"):
    """There is nothing to set: a rewriting is right or it is not."""


def check(record: Record, kit: Kit[Params]) -> Outcome:
    """Keep the record where the response is what the rules make of the string."""
    facts, said = record.facts, record.last("assistant")
    string, mode, most = facts.get("string"), facts.get("mode"), facts.get("max_steps", 1)
    try:
        rules = listed(facts.get("rules"))
    except RuleError as error:
        return Drop(record, "no_rules", str(error))
    if not isinstance(string, str) or mode not in MODES or not isinstance(most, int):
        return Drop(record, "no_rules", "the string, the mode or the number of steps is missing")
    ends = _ends(rules, string, most if mode == "repeat" else 1)
    if mode == "repeat" and _found(rules, ends):
        return Drop(record, "no_end", f"a rule still applies after {most} steps")
    if said != ends:
        return Drop(record, "wrong_answer", f"{said[:200]!r}, but the rules give {ends[:200]!r}")
    sides = [string, *(side for rule in rules for side in (rule.left, rule.right))]
    if not all(side in record.last("user") for side in sides):
        return Drop(record, "question_incomplete", "the instruction hides a rule or the string")
    if facts.get("rule_id") not in (None, rule_id(rules, mode)):
        return Drop(record, "wrong_rule_id", "rules would be on both sides of a split")
    return record


def _ends(rules: tuple[Rule, ...], string: str, most: int) -> str:
    """What the string has become after at most so many steps."""
    for _ in range(most):
        found = _found(rules, string)
        if found is None:
            break
        rule, match = found
        string = string[: match.start()] + rule.right + string[match.end() :]
    return string


def _found(rules: tuple[Rule, ...], string: str) -> tuple[Rule, regex.Match[str]] | None:
    """The first rule that applies, and where it does first."""
    tried = ((rule, regex.search(regex.escape(rule.left), string)) for rule in rules)
    return next(((rule, match) for rule, match in tried if match), None)


VERIFIER = Verifier(check, Params)
