r"""A formula in LaTeX, Markdown or plain signs, tidied: one way to write what looks the same.

No algebra: ``\dfrac12`` becomes ``\frac{1}{2}``, ``√8`` and ``sqrt(8)`` become ``\sqrt{8}``, and
what only spaces or decorates goes. Braces are matched, never guessed.
"""

from __future__ import annotations

import unicodedata

import regex

from engine.text.numerals import ascii_digits, spelt_out

_SIGNS = {
    "×": "*", "·": "*", "⋅": "*", "∙": "*", "∗": "*", "÷": "/", "π": "\\pi ", "∞": "\\infty ",
    "√": "\\sqrt", "≤": "\\le ", "≥": "\\ge ", "≠": "\\ne ", "∪": "\\cup ", "±": "\\pm ",
    "\\left": "", "\\right": "", "\\big": "", "\\Big": "", "\\bigl": "", "\\bigr": "",
    "\\displaystyle": "", "\\limits": "", "\\dfrac": "\\frac", "\\tfrac": "\\frac",
    "\\cfrac": "\\frac", "\\times": "*", "\\cdot": "*", "\\div": "/", "\\degree": "°",
    "\\quad": " ", "\\qquad": " ", "\\leq": "\\le ", "\\geq": "\\ge ", "\\neq": "\\ne ",
    "\\lbrace": "\\{", "\\rbrace": "\\}", "\\infin": "\\infty ", "\\colon": ":",
}  # fmt: skip
"""What stands for the same."""
_COMMAND = regex.compile(r"\\[A-Za-z]+|[×·⋅∙∗÷π∞√≤≥≠∪±]")
_SPACING = regex.compile(r"\\[,;:> ]|~")
_DELIMITED = regex.compile(r"\\\(|\\\)|\\\[|\\\]")
_UNWRAPPED = regex.compile(
    r"\\(?:text|textbf|textit|textrm|mathrm|mathbf|mathit|mathsf|operatorname|mbox|boxed|fbox)\s*"
    r"\{((?:[^{}]|\{[^{}]*\})*)\}"
)
_SHORT_FRACTION = regex.compile(
    r"\\frac\s*(?:(\d)\s*(\d)|(\d)\s*(\{[^{}]*\})|(\{[^{}]*\})\s*(\d))(?![\d}])"
)
_ROOT = regex.compile(r"(?<![\\A-Za-z])sqrt(?=\s*[({\d])|\\sqrt(?=\s*[(\d\p{L}])")
_ROOTED = regex.compile(r"\\sqrt\s*(?:\(([^()]*)\)|(\d+|\p{L}))")
_NAMED = regex.compile(
    r"(?<![\\\p{L}\p{M}])(pi|sin|cos|tan|cot|log|ln|exp|infty|theta)(?![\p{L}\p{M}])"
)
_POWER = regex.compile(r"(?<=[\w)\]}])\*\*(?=[\w({\\-])")
_CIRCLE = regex.compile(r"\^\s*(?:\{\s*)?\\circ(?:\s*\})?")
_SPACES = regex.compile(r"[\s\u200b\u200e\u200f\u2066-\u2069\u061c]+")


def tidy(text: str) -> str:
    """The formula in its plainest way of writing; of prose, the same prose."""
    text = unicodedata.normalize("NFKC", spelt_out(text))
    text = _SPACES.sub(" ", ascii_digits(text)).strip()
    text = _DELIMITED.sub(" ", text).replace("\\!", "").replace("{,}", ",").replace("$$", "$")
    text = _CIRCLE.sub("°", _SPACING.sub(" ", _POWER.sub("^", _bare(text))))
    for _ in range(4):  # a box around a text around a number
        text = _UNWRAPPED.sub(r" \1", text)
    text = _COMMAND.sub(lambda m: _SIGNS.get(m[0], m[0]), text)
    text = _SHORT_FRACTION.sub(_long, text)
    text = _ROOTED.sub(r"\\sqrt{\1\2}", _ROOT.sub(r"\\sqrt", text))
    text = _NAMED.sub(r"\\\1 ", text).replace("\\%", "%").replace("\\$", "$")
    return _SPACES.sub(" ", text).strip()


def _bare(text: str) -> str:
    """Without what is around all of it: dollars, asterisks, backticks."""
    while True:
        inner = text.strip()
        for mark in ("**", "__", "`", "*", "_"):
            if inner.startswith(mark) and inner.endswith(mark) and len(inner) > 2 * len(mark):
                inner = inner[len(mark) : -len(mark)]
        if inner.startswith("$") and inner.endswith("$") and not inner.endswith("\\$"):
            inner = inner[1:-1]
        if inner == text:
            return text
        text = inner


def _long(found: regex.Match[str]) -> str:
    over, under = (part.strip("{}") for part in found.groups() if part)
    return f"\\frac{{{over}}}{{{under}}}"
