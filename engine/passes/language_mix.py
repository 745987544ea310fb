"""Realise a plan of languages exactly, in the records that are kept, and note it for the card.

One of six plans (``engine.selection.mixing``): ``shares``, ``languages`` (the same of each),
``temperature`` (with ``cap``), ``unimax``, ``pinch`` or ``sweep``. Quotas are of all rounds
together and sum to ``size``. A language that lacks records never gives its place to another: the
run ends with what is missing (``short: refuse``), later rounds bring the rest (``wait``), or
records are meant several times (``repeat``; how often is in the fact, to write copies is
training's). The repetition factor of every language is noted, and one above ``max_epochs`` is
refused unless ``repeat`` is set.

With ``by``, the fact that translations of one example share, ``parallel: one`` gives each example
exactly one language, and ``all`` keeps whole examples, in every language. Draws go by id, so
plans that differ in ``size``, ``examples`` or ``take`` under one seed and step name are nested.

Dropped are ``over_quota``, ``not_planned`` (a language without a share), ``other_language`` (the
example is kept in another) and ``no_group``. The fact ``selection`` has what ``balance`` says,
``mix`` and ``repetition``; the first of each language has the whole ``plan``.

Source: Shaham et al., 2024, arXiv:2401.01854 (a pinch); Kew et al., "Turning English-centric LLMs
Into Polyglots", 2023, arXiv:2312.12683 (equal size, more languages); Weber et al., "Investigating
Multilingual Instruction-Tuning", 2024, arXiv:2402.13703 (parallel, or one language an example);
Ji and Chen, "How Many Languages Make Good Multilingual Instruction Tuning?", 2024,
arXiv:2404.04850 (growing sets); Chung et al., 2023, arXiv:2304.09151 (UniMax).
Differs: whole numbers by largest remainder. ``temperature_mix`` fills gaps from other groups; here
a plan is kept or refused.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator

from engine.core import Outcome, Record, stable_id
from engine.kit import Desk, Pass
from engine.mixtures import Mixture as Params
from engine.mixtures import affordable, planned
from engine.selecting import BETWEEN, LANGUAGE, Candidates, Choice, Needs, gathered, seed_of
from engine.selection.mixing import Plan, assigned, complete
from engine.selection.quotas import Counts, top_up


def settle(
    fresh: Iterable[Record], kept: Iterable[Record], desk: Desk[Params]
) -> Iterator[Outcome]:
    """Keep what the plan says of each language; see the module."""
    ask, seed = desk.params, seed_of(desk)
    groups = (LANGUAGE, ask.by) if ask.by else (LANGUAGE,)
    with gathered(fresh, kept, desk, Needs(groups=groups)) as found:
        examples = _parted(found)
        plan = planned(ask, Counter(found.groups) + Counter(found.before_groups))
        needs = top_up(plan.quotas, found.have)
        orders = found.ordered(None, seed)
        mine = _chosen(examples, found, needs, plan, desk) if ask.by else set(range(len(found.ids)))
        for rows in orders.values():
            rows.sort(key=lambda row: row not in mine)  # stable: else as drawn
        rooms = Counter(found.groups[row] for row in mine)
        takes = dict.fromkeys(orders, 0) | affordable(needs, rooms, ask)
        quotas = dict.fromkeys(orders, 0) | plan.quotas
        inner = found.by_group(orders, takes, quotas, seed=seed, mix=plan.kind)
        yield from found.outcomes(_noting(inner, plan, mine))


def _parted(found: Candidates) -> tuple[list[str], list[str]]:
    """Example of each row, fresh ones and those before; groups are languages from then on."""
    fresh = [name.partition(BETWEEN) for name in found.groups]
    before = [name.partition(BETWEEN) for name in found.before_groups]
    found.groups = [tag for tag, _, _ in fresh]
    found.before_groups = [tag for tag, _, _ in before]
    have = Counter[str]()
    for name, count in found.have.items():
        have[name.partition(BETWEEN)[0]] += count
    found.have = have
    return [example for _, _, example in fresh], [example for _, _, example in before]


def _chosen(
    examples: tuple[list[str], list[str]],
    found: Candidates,
    needs: Counts,
    plan: Plan,
    desk: Desk[Params],
) -> set[int]:
    """The rows that are kept of parallel ones, examples in an order that is drawn."""
    fresh, before = examples
    seed, used = seed_of(desk), set(before)
    there: dict[str, dict[str, int]] = {}
    for example in sorted({*fresh} - used, key=lambda name: stable_id(seed, name)):
        there[example] = {}
    for row, example in enumerate(fresh):
        if example in there:
            there[example].setdefault(found.groups[row], row)
    if desk.params.parallel == "one":
        owners = assigned(there, needs, plan.deal)
        return {there[example][tag] for example, tag in owners.items()}
    whole = list(complete(there, plan.quotas))[: max(needs.values())]
    return {there[example][tag] for example in whole for tag in plan.quotas}


def _noting(inner: Callable[[int], Choice], plan: Plan, mine: set[int]) -> Callable[[int], Choice]:
    """What is said of a row, with the plan's line of its language."""

    def choose(row: int) -> Choice:
        choice = inner(row)
        tag = str(choice.facts["group"])
        if tag not in plan.quotas:
            told = f"the plan has {', '.join(plan.quotas)}, and no {tag}"
            return choice._replace(reason="not_planned", detail=told)
        facts = {**choice.facts, "repetition": plan.repetition(tag)}
        if choice.rank == 1:
            facts["plan"] = {each: plan.line(each) for each in plan.quotas}
        reason = "other_language" if choice.reason and row not in mine else choice.reason
        return choice._replace(reason=reason, facts=facts)

    return choose


PASS = Pass(settle, Params)
