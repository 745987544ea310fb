"""What every generator, filter, verifier, pass, source and sink promises."""

from __future__ import annotations

import ast
import inspect
import re
import textwrap
from collections import Counter
from functools import lru_cache
from itertools import pairwise

import networkx as nx
from pydantic import BaseModel

from engine import parts as lookup
from engine import shipped
from engine.asks import mismatches
from engine.prompting import Library
from tests.conftest import ROOT
from tests.conventions.tree import KINDS, Module, dotted, every, parts

PARTS = parts(*KINDS)
GENERATORS = parts("generators")
METHODS = parts("generators", "verifiers")
"""Parts that rest on a publication, or say why not."""
LINES = {"generators": 150}
OTHER_LINES = 160
"""Of any other part; they aim at 120, and a docstring with its sources takes twenty."""
IDENTIFIER = re.compile(r"arXiv:\d{4}\.\d{4,5}|doi:\s*10\.\d+/\S+|ISBN[ :-]?[\d-]{10,}|ACL:\S+")

every_part, every_method, every_generator = every(PARTS), every(METHODS), every(GENERATORS)


@every_part
def test_its_file_ends_with_what_it_is(part: Module) -> None:
    last = part.ast.body[-1]
    assert isinstance(last, ast.Assign), f"{part.at(last)}: ends with {KINDS[part.package]} = ..."
    assert [dotted(target) for target in last.targets] == [KINDS[part.package]], part.at(last)


@every_part
def test_its_file_is_short(part: Module) -> None:
    bound = LINES.get(part.package, OTHER_LINES)
    assert part.written <= bound, f"{part.path}: {part.written} lines, at most {bound}"


@every_part
def test_every_setting_says_what_it_means_and_no_other_is_taken(part: Module) -> None:
    params = part.part().params
    assert params.model_config.get("extra") == "forbid", f"{part.path}: {params.__name__}"
    silent = [f"{owner.__module__}.{name}" for owner, name in _silent(params)]
    assert not silent, f"{part.path}: no docstring below {', '.join(silent)}"


@every_part
def test_it_is_found_by_its_name(part: Module) -> None:
    assert lookup.find(part.name, (part.package,), ROOT) is part.part()


@every_part
def test_a_test_speaks_of_it(part: Module) -> None:
    imports = rf"engine\.{part.package}(\.\w+)*\.{part.name}\b"
    together = rf"from engine\.{part.package} import [^\n]*\b{part.name}\b"
    tests = sorted((ROOT / "tests" / part.package).rglob("test_*.py"))
    texts = [test.read_text(encoding="utf-8") for test in tests]
    assert any(re.search(f"{imports}|{together}", text) for text in texts), (
        f"no test in tests/{part.package} imports {part.dotted}"
    )


def test_a_name_in_a_job_stands_for_one_part() -> None:
    for folders in (lookup.STEPS, lookup.SOURCES, lookup.SINKS):
        names = Counter(part.name for part in parts(*folders))
        assert not [name for name, times in names.items() if times > 1]


@every_method
def test_its_prompts_are_its_own_and_none_is_left_over(part: Module) -> None:
    folder = ROOT / "prompts" / part.name
    declared = {prompt.name for prompt in part.part().prompts}
    there = {f"{part.name}/{file.name.partition('.')[0]}" for file in folder.glob("*.j2")}
    assert declared == there, f"{part.path}: declared and in {folder} differ"


@every_method
def test_every_question_it_asks_gives_what_the_prompt_takes(part: Module, prompts: Library) -> None:
    assert list(mismatches(part.part(), prompts)) == []


@every_generator
def test_a_generator_cites_its_source(part: Module) -> None:
    said = ast.get_docstring(part.ast) or ""
    assert "Source:" in said, f"{part.path}: no Source:"
    source = said.partition("Source:")[2]
    assert IDENTIFIER.search(source), f"{part.path}: Source: without arXiv, doi or the like"
    assert re.search(r"\b(19|20)\d\d\b", source), f"{part.path}: Source: without a year"


@every_generator
def test_a_generator_has_a_test_of_its_own(part: Module) -> None:
    found = list((ROOT / "tests/generators").rglob(f"test_{part.name}.py"))
    assert found, f"tests/generators/test_{part.name}.py is missing"


@every_generator
def test_a_shipped_job_uses_the_generator(part: Module) -> None:
    assert part.name in _used(), f"no job in engine/jobs uses {part.name}"


@lru_cache(maxsize=1)
def _used() -> set[str]:
    jobs = map(shipped.read, (ROOT / "engine/jobs").glob("*.yaml"))
    return {step["use"] for job in jobs for step in job["steps"].values()}


@every_generator
def test_every_node_is_reached_and_leads_to_the_end(part: Module) -> None:
    drawn = part.part().graph().compile().get_graph()
    graph = nx.DiGraph()
    graph.add_nodes_from(drawn.nodes)
    graph.add_edges_from((edge.source, edge.target) for edge in drawn.edges)
    assert nx.descendants(graph, "__start__") == set(graph) - {"__start__"}, "not reached"
    assert nx.ancestors(graph, "__end__") == set(graph) - {"__end__"}, "never ends"


@every_generator
def test_a_generator_is_told_in_the_usual_order(part: Module) -> None:
    nodes = set(part.part().graph().compile().get_graph().nodes)
    told = [(rank, node) for node in part.ast.body if (rank := _rank(node, nodes))]
    late = [
        f"{part.at(node)}: {ORDER[rank]} after {ORDER[before]}"
        for (before, _), (rank, node) in pairwise(told)
        if rank < before
    ]
    assert not late


ORDER = (
    "",
    "docstring",
    "imports",
    "a reply type",
    "a prompt",
    "Params",
    "State",
    "a node",
    "routing",
    "graph()",
    "GENERATOR",
)


def _rank(node: ast.stmt, nodes: set[str]) -> int:
    """The place in ``ORDER``; 0 for what may stand anywhere: constants, private functions."""
    match node:
        case ast.Expr(value=ast.Constant()) if node.lineno == 1:
            return 1
        case ast.Import() | ast.ImportFrom():
            return 2
        case ast.ClassDef(name="Params"):
            return 5
        case ast.ClassDef(name="State"):
            return 6
        case ast.ClassDef(bases=[ast.Name(id="BaseModel")]):
            return 3
        case ast.Assign(targets=[ast.Name(id="GENERATOR")]):
            return 10
        case ast.Assign() if any(dotted(n) == "Prompt" for n in ast.walk(node.value)):
            return 4
        case ast.AsyncFunctionDef() | ast.FunctionDef() if node.name in nodes:
            return 7
        case ast.FunctionDef(name="graph"):
            return 9
        case ast.FunctionDef() if not node.name.startswith("_"):
            return 8
    return 0


def _silent(model: type[BaseModel]) -> list[tuple[type[BaseModel], str]]:
    """Fields without a string right below them, those of bases within the engine too."""
    found = []
    for owner in model.__mro__:
        if not (issubclass(owner, BaseModel) and owner.__module__.startswith("engine.")):
            continue
        [body] = ast.parse(textwrap.dedent(inspect.getsource(owner))).body
        assert isinstance(body, ast.ClassDef)
        for node, below in zip(body.body, [*body.body[1:], None], strict=True):
            if isinstance(node, ast.AnnAssign) and not _is_docstring(below):
                found.append((owner, f"{owner.__name__}.{dotted(node.target)}"))
    return found


def _is_docstring(node: ast.stmt | None) -> bool:
    match node:
        case ast.Expr(value=ast.Constant(value=str(text))):
            return bool(text.strip())
    return False
