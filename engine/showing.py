"""The reading verbs as text for people; the values are those that ``--json`` prints.

Lines are aligned by hand and never cut: a list that is piped into ``grep`` has one line an
entry, on a terminal the last column wraps. Text of models and corpora is printed as text, with
control characters made visible: a reply cannot recolour or clear anybody's terminal.
"""

from __future__ import annotations

import json
import textwrap
from collections import Counter
from collections.abc import Sequence
from typing import Any

from rich.cells import cell_len
from rich.console import Console
from rich.padding import Padding
from rich.rule import Rule
from rich.text import Text

from engine import outlook
from engine.models.keeping import shown
from engine.rounds import End

Value = dict[str, Any]

_VISIBLE = {code: 0x2400 + code for code in range(32) if chr(code) not in "\n\t"}
_VISIBLE |= {0x7F: 0x2421} | dict.fromkeys(range(0x80, 0xA0), 0xFFFD)
"""Control characters -> what to print for them."""
FACT = 200
"""Characters of a fact that are shown; ``--json`` shows all."""
PLAIN_WIDTH = 100
"""Columns where there is no terminal."""


def page() -> Console:
    """Standard output as somewhere to print for people."""
    console = Console(highlight=False, markup=False, emoji=False)
    if not console.is_terminal:
        console.width = PLAIN_WIDTH
    return console


def safe(text: object) -> str:
    """Text that only prints."""
    return str(text).translate(_VISIBLE)


def table(console: Console, rows: Sequence[Sequence[object]], indent: str = "  ") -> None:
    """Rows in aligned columns; the last one wraps on a terminal, and nowhere else."""
    cells = [[safe(cell) for cell in row] for row in rows]
    widths = [max(map(cell_len, column)) for column in zip(*cells, strict=True)][:-1]
    for *first, last in cells:
        start = indent + "".join(
            cell + " " * (width - cell_len(cell) + 2)
            for cell, width in zip(first, widths, strict=True)
        )
        room = console.width - cell_len(start)
        pieces = [last] if not console.is_terminal or room < 20 else textwrap.wrap(last, room)
        lines = [start + (pieces or [""])[0], *(" " * cell_len(start) + p for p in pieces[1:])]
        for line in lines:
            out(console, line.rstrip())


def out(console: Console, line: str = "", style: str = "") -> None:
    """One line, neither wrapped nor cut."""
    console.print(Text(line, style), soft_wrap=True)


def body(console: Console, text: str, indent: int, style: str = "") -> None:
    """A text of any length, indented; its lines wrap on a terminal, and nowhere else."""
    shown = Text(safe(text), style)
    if console.is_terminal:
        console.print(Padding(shown, (0, 0, 0, indent), expand=False))
        return
    for line in shown.plain.split("\n"):
        out(console, (" " * indent + line).rstrip())


def head(console: Console, text: str) -> None:
    """A heading."""
    out(console, text, "bold")


# -- list -----------------------------------------------------------------------------------


def entries(console: Console, kinds: dict[str, dict[str, str]]) -> None:
    """What there is, by kind."""
    for kind, found in kinds.items():
        head(console, kind)
        table(console, list(found.items()) or [["-"]])
        out(console)
    out(console, "engine list NAME shows one of them with its settings.", "dim")


def entry(console: Console, about: Value) -> None:
    """One part, prompt or job."""
    head(console, f"{about['name']} ({about['kind']})")
    if "settings" not in about:
        for name in ("files", "file", "versions", "role", "inputs", "source"):
            if about.get(name):
                shown = about[name] if isinstance(about[name], str) else ", ".join(about[name])
                out(console, f"{name}: {shown}")
        out(console)
        out(console, safe(about["text"]).rstrip())
        return
    out(console, about["text"])
    out(console)
    head(console, "settings")
    for setting in about["settings"]:
        default = json.dumps(setting["default"], ensure_ascii=False)
        shown = "required" if setting["required"] else f"default {_short(default)}"
        out(console, f"  {setting['name']}: {setting['type']}, {shown}")
        body(console, setting["text"], 6, "dim")
    if not about["settings"]:
        out(console, "  none")
    for name in ("prompts", "roles"):
        if about[name]:
            out(console, f"{name}: {', '.join(about[name])}")


# -- check ----------------------------------------------------------------------------------


def plan(console: Console, value: Value) -> None:
    """What ``check`` found."""
    head(console, f"{value['job']}: nothing is wrong with {value['file']}")
    rows = [("folder", value["folder"])]
    rows += [(f"model {name}", why) for name, why in value["models"].items()]
    for group in value["turns"]:
        rows.append((" and ".join(group["models"]), group["why"]))
        rows += [(f"  in stage {each['stage']}", each["how"]) for each in group["stages"]]
    for source in value["sources"]:
        count = value["first_round"].get(source["name"], 0)
        much = "all of its seeds" if count == -1 else f"{count} seeds in the first round"
        rows.append((f"source {source['name']}", f"{source['use']}, {much}"))
    for number, steps in enumerate(value["stages"], start=1):
        for step in steps:
            rows.append((f"stage {number}  {step['name']}", _step(step)))
    rows += [("sink", f"{sink['use']} {_options(sink)}".strip()) for sink in value["sinks"]]
    rows += [("target", _target(value["target"]))]
    calls = value["calls_per_seed"]
    known = f"{calls:.1f}, by the run in {value['folder']}" if calls is not None else _UNKNOWN
    table(console, [*rows, ("calls a seed", known)])


_UNKNOWN = "not known before a run; `engine preview` counts those of a few seeds"


def _step(step: Value) -> str:
    asks = "".join(f"; {role} is {model}" for role, model in step["roles"].items())
    return f"{step['kind']} {step['use']} from {', '.join(step['from'])}{asks}"


def _options(sink: Value) -> str:
    return ", ".join(f"{name} {value}" for name, value in sink.items() if name != "use")


def _target(target: Value) -> str:
    parts = [f"{target['accepted']} accepted"] if target["accepted"] else ["all that comes out"]
    parts += [f"at most {target['candidates']} seeds"] if target["candidates"] else []
    parts += [f"{target['round']} seeds a round"] if target["round"] else []
    return ", ".join(parts)


# -- records --------------------------------------------------------------------------------


def preview(console: Console, value: Value) -> None:
    """What a few seeds came to."""
    for name, why in value["answers"].items():
        out(console, f"{name}: {why}", "dim")
    for number, each in enumerate(value["records"], start=1):
        console.print(Rule(f"record {number}: {each['id']}, {each['language']}"))
        record(console, each)
    for dropped in value["drops"]:
        drop(console, dropped)
    for failed in value["failures"]:
        console.print(Rule(f"failed: {failed['id']}", style="red"))
        out(console, safe(failed["error"]))
    for number, said in enumerate(value.get("asked", ()), start=1):
        console.print(Rule(f"call {number}: {said['prompt']}", style="cyan"))
        call(console, said)
    console.print(Rule())
    out(console, _sum(value), "bold")


def drop(console: Console, value: Value) -> None:
    """A dropped record and why it ended."""
    about = value["record"]
    console.print(Rule(f"dropped at {value['step']}: {about['id']}, {about['language']}"))
    out(console, _why(value), "yellow")
    record(console, about)


def _why(dropped: Value) -> str:
    detail = f": {_short(dropped['detail'])}" if dropped["detail"] else ""
    return safe(f"{dropped['reason']}{detail}")


def _sum(value: Value) -> str:
    count = {name: len(value[name]) for name in ("records", "drops", "failures")}
    reasons = Counter(each["reason"] for each in value["drops"])
    why = ", ".join(f"{reason} {n}" for reason, n in reasons.most_common())
    return (
        f"{value['seeds']} seeds: {count['records']} records, {count['drops']} drops"
        f"{f' ({why})' if why else ''}, {count['failures']} failures; {value['calls']} calls "
        f"({value['calls'] / max(value['seeds'], 1):.1f} a seed), "
        f"{value['tokens_in']:,} tokens in, {value['tokens_out']:,} out"
    )


def record(console: Console, value: Value) -> None:
    """The conversation, and what is known about it."""
    for message in value["messages"]:
        _said(console, message["role"], message["content"])
    if value["facts"]:
        head(console, "facts")
        rows = [(name, _short(_flat(fact))) for name, fact in value["facts"].items()]
        table(console, rows)


def call(console: Console, said: Value) -> None:
    """A call: what was asked and what came back."""
    cut = ", cut by the token limit" if said["truncated"] else ""
    out(
        console,
        f"{said['role']} {safe(said['model'])}, {said['tokens_in']:,} tokens in, "
        f"{said['tokens_out']:,} out{cut}, key {said['key']}",
        "dim",
    )
    for message in said["messages"]:
        _said(console, message["role"], message["content"])
    _said(console, "reply", shown(said, said["reply"]), "green")


def _said(console: Console, role: str, text: str, style: str = "bold cyan") -> None:
    out(console, safe(role), style)
    body(console, text, 2)


def lineage(console: Console, value: Value) -> None:
    """A record, where it ended up, and every step on its way there."""
    about = value["record"]
    console.print(Rule(f"{about['id']}, {about['language']}"))
    out(console, _place(value), "yellow" if value["dropped"] else "green")
    record(console, about)
    for hop in value["lineage"]:
        calls = f", {len(hop['calls'])} calls" if hop["calls"] else ""
        console.print(Rule(f"step {hop['step']}: from {hop['parent']}{calls}", style="cyan"))
        if said := hop["verdict"]:
            out(console, _verdict(said), "green" if said["verdict"] == "pass" else "yellow")
        for said in hop["calls"]:
            head(console, said["prompt"])
            if "reply" in said:
                call(console, said)
            elif not said["key"]:
                out(console, f"  by {said['model']}, without a model server")
            else:
                out(console, f"  the journal no longer has the call {said['key']}", "red")


def _verdict(said: Value) -> str:
    why = f": {said['evidence']}" if said["evidence"] else ""
    return f"  {said['check']} {said['version']} says {said['verdict']}{why}"


def _place(value: Value) -> str:
    if value["dropped"]:
        return f"dropped, {_why(value['dropped'])}"
    return "accepted" if value["accepted"] else f"went on to {value['waits_for']}"


# -- runs -----------------------------------------------------------------------------------


def runs(console: Console, values: Sequence[Value]) -> None:
    """One line a run."""
    if not values:
        out(console, "no run below outputs/; `engine run quickstart` makes one")
        return
    rows = [(each["folder"], _count(each), _state(each)) for each in values]
    table(console, rows, indent="")


def status(console: Console, value: Value) -> None:
    """Where a run stands."""
    head(console, f"{value['job']} in {value['folder']}: {_state(value)}")
    surplus = f", and {value['surplus']} beyond the target" if value["surplus"] else ""
    failed = f", {value['seeds_failed']} failed" if value["seeds_failed"] else ""
    rows = [
        ("accepted", _count(value) + surplus),
        ("seeds", f"{value['seeds_done']:,} done{failed}, in {value['rounds']} rounds"),
        *_needs(value),
        *((f"model {name}", why) for name, why in value["answers"].items()),
        *((name, value[name] or "not written yet") for name in ("dataset", "report")),
    ]
    table(console, rows)
    _counts(console, ("step", "in", "kept", "dropped"), value["steps"])
    names = ("model", "prompt", "calls", "tokens_in", "tokens_out")
    _counts(console, names, value["calls"])


def _counts(console: Console, names: Sequence[str], values: Sequence[Value]) -> None:
    if values:
        out(console)
        cells = [[_number(value[name]) for name in names] for value in values]
        table(console, [[name.replace("_", " ") for name in names], *cells])


def _number(value: object) -> str:
    return f"{value:,}" if isinstance(value, int) else str(value)


def _count(value: Value) -> str:
    of = f" of {value['target']:,}" if value["target"] else ""
    of += f", lacking {outlook.listed(value['lacks'])}" if value["lacks"] else ""
    return f"{value['accepted']:,}{of}{' REHEARSAL' if value['rehearsal'] else ''}"


def _state(value: Value) -> str:
    if value["running"]:
        return "running"
    bound = f" (run.{value['bound']})" if value["bound"] else ""
    return f"{value['end']}{bound}" if value["end"] else "not ended; run it again to go on"


def failures(console: Console, values: Sequence[Value], folder: str) -> None:
    """Seeds that failed, with the last line of each error."""
    if not values:
        out(console, "no seed has failed")
        return
    rows = [("seed", "round", "stage", "attempts", "error")]
    rows += [
        (v["id"], v["round"], v["stage"], v["attempts"], v["error"].strip().split("\n")[-1])
        for v in values
    ]
    table(console, rows, indent="")
    out(console, f"`engine failures {folder} --retry` puts them back in line", "dim")


def drops(console: Console, value: Value, n: int) -> None:
    """How many of which reason, and the first ones."""
    if not value["counts"]:
        out(console, "nothing was dropped")
        return
    head(console, "dropped")
    table(console, [(c["step"], c["reason"], f"{c['count']:,}") for c in value["counts"]])
    for dropped in value["drops"]:
        drop(console, dropped)
    if sum(c["count"] for c in value["counts"]) > len(value["drops"]):
        out(console, f"the first {n}; -n shows more, --step and --reason choose", "dim")


def _short(text: str) -> str:
    text = " ".join(str(text).split())
    return text if len(text) <= FACT else text[: FACT - 3] + "..."


def _flat(fact: Any) -> Any:
    return fact if isinstance(fact, str) else json.dumps(fact, ensure_ascii=False)


def _waves(batch: Value) -> list[tuple[str, str]]:
    """What a run that is answered by files waits for."""
    calls, files, where = batch["calls"], batch["files"], batch["folder"]
    rows = [("waits for", f"{calls:,} calls in {len(files)} files in {where}/requests")]
    rows.append(("answer", f"results as .jsonl, under any name, in {where}/results"))
    odd = {"unknown": "lines for calls never made", "garbled": "lines that are no JSON"}
    rows += [("ignored", f"{batch[key]:,} {what}") for key, what in odd.items() if batch[key]]
    return rows + [("cut short", f"results/{name}") for name in batch["cut"]]


def ending(console: Console, value: Value, again: str) -> None:
    """What a run came to, and what to do next."""
    if value["rehearsal"]:
        out(console, "REHEARSAL: the embedded model answered; this is not real data", "bold yellow")
    head(console, _state(value))
    rows = [("accepted", _count(value))]
    rows += [(name, value[name]) for name in ("dataset", "report") if value[name]]
    if value["seeds_failed"]:
        why = f"{value['seeds_failed']:,} seeds; engine failures {value['folder']} [--retry]"
        rows += [("failed", why), ("last error", value["last_error"])]
    if dropped := sum(step["dropped"] for step in value["steps"]):
        rows.append(("dropped", f"{dropped:,}; engine drops {value['folder']}"))
    if value["batch"]:
        rows += _waves(value["batch"])
    ends = (End.INTERRUPTED, End.BUDGET, End.ERRORS, End.WAITING)
    if value["end"] in [end.value for end in ends]:
        rows += _needs(value)
        rows.append(("go on", again))
        if value["bound"] in ("max_tokens", "max_hours"):
            rows.append(("", f"run.{value['bound']} counts over all starts: raise it first"))
    table(console, rows)


def _needs(value: Value) -> list[tuple[str, str]]:
    return [("missing", outlook.sentence(value["needs"]))] if value["needs"] else []
