"""The part of README.md that is written from docstrings: ``python -m tests.readme`` renews it."""

from __future__ import annotations

import ast
import re
from pathlib import Path

from engine import parts

README = Path(__file__).parent.parent / "README.md"
KINDS = {
    "generators": "Methods",
    "graphs": "Methods that the job declares",
    "filters": "Filters",
    "verifiers": "Verifiers",
    "passes": "Passes",
    "sources": "Sources",
    "sinks": "Sinks",
}
_BETWEEN = re.compile(r"(<!-- parts: .*? -->\n).*?(<!-- /parts -->)", re.S)


def table() -> str:
    """Every part with the first sentence of its docstring and the source it cites."""
    lines = []
    for kind, title in KINDS.items():
        lines += [f"**{title}**", "", "| `use` | what it does |", "|---|---|"]
        lines += [f"| `{name}` | {_line(module)} |" for name, module in _modules(kind)]
        lines.append("")
    return "\n".join(lines)


def _modules(kind: str) -> list[tuple[str, Path]]:
    root = README.parent
    return [
        (name, root / (module.replace(".", "/") + ".py"))
        for name, module in sorted(parts.names(kind).items())
    ]


def _line(path: Path) -> str:
    text = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    first = " ".join(text.split("\n\n")[0].split()).replace("``", "`")
    found = re.search(r"arXiv:\d{4}\.\d{4,5}", text)
    return f"{first} ({found[0]})" if found else first


def renewed(readme: str) -> str:
    """The README with the table as the docstrings have it now."""
    return _BETWEEN.sub(lambda m: f"{m[1]}\n{table()}\n{m[2]}", readme)


if __name__ == "__main__":
    README.write_text(renewed(README.read_text(encoding="utf-8")), encoding="utf-8")
