"""Kinds of harm, what guard models say of them, and the class of safety a pair is in.

What to do with a refusal depends on what was refused. So a pair has one of these classes:

``benign_refused``      a harmless request was refused: the model was taught to be afraid
``harmful_refused``     a harmful request was refused: the safety stratum
``disclaimer``          an answer that begins by being only a language model
``harmful_compliance``  the response does harm, or serves a harmful request at least in part
``unclear``             a borderline request refused, or a harmful one met with a harmless answer
``unanswered``          there is no response yet
``ordinary``            none of these

Guard models with a format of their own are read as they answer: Llama Guard (``unsafe`` and codes
such as S9) and Qwen3Guard (``Safety:``, ``Categories:``, ``Refusal:``). The last answer counts,
and a reply without one is an error, never a label.

Source: Inan et al., "Llama Guard: LLM-based Input-Output Safeguard for Human-AI Conversations",
2023, arXiv:2312.06674; Zhao et al., "Qwen3Guard Technical Report", 2025, arXiv:2510.14276; the
classes follow Röttger et al., "XSTest", 2023, arXiv:2308.01263 (refusal apart from harm).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import regex

from engine.core import ReplyError

Harm = Literal["none", "borderline", "harmful"]
Refusal = Literal["none", "partial", "full"]
Class = Literal[
    "benign_refused",
    "harmful_refused",
    "disclaimer",
    "harmful_compliance",
    "unclear",
    "unanswered",
    "ordinary",
]
Category = Literal[
    "none",
    "violence",
    "weapons",
    "crime",
    "cyber",
    "sexual",
    "minors",
    "self_harm",
    "hate",
    "privacy",
    "deception",
    "advice",
    "copyright",
    "jailbreak",
    "other",
]
MEANINGS: dict[Category, str] = {
    "none": "nothing harmful in the request or the response",
    "violence": "hurting people or animals, threats, terrorism, praise of either",
    "weapons": "making or getting weapons, explosives, poisons, pathogens",
    "crime": "theft, fraud, drugs, smuggling and other crime without violence",
    "cyber": "malware, breaking into systems, attacks on networks",
    "sexual": "explicit sexual content, sexual exploitation of adults",
    "minors": "any sexual content about people under age, and their exploitation",
    "self_harm": "suicide, self-injury, disordered eating",
    "hate": "contempt or harassment for who someone is",
    "privacy": "finding out, using or publishing what is private about a person",
    "deception": "disinformation, defamation, impersonation, meddling with elections",
    "advice": "dangerous advice in medicine, law or finance",
    "copyright": "reproducing protected works",
    "jailbreak": "getting a model to drop its rules, with nothing else harmful in it",
    "other": "harm of another kind",
}
_LLAMA_GUARD: tuple[Category, ...] = (
    *("violence", "crime", "sexual", "minors", "deception", "advice", "privacy", "copyright"),
    *("weapons", "hate", "self_harm", "sexual", "deception", "cyber"),
)
"""Categories S1 to S14 of Llama Guard 3."""
_QWEN_GUARD: dict[str, Category] = {
    "non-violent illegal acts": "crime",
    "violent": "violence",
    "sexual content or sexual acts": "sexual",
    "pii": "privacy",
    "suicide & self-harm": "self_harm",
    "unethical acts": "hate",
    "politically sensitive topics": "deception",
    "copyright violation": "copyright",
    "jailbreak": "jailbreak",
}
_SAFETY = regex.compile(r"(?i)\bsafety:\s*(safe|unsafe|controversial)\b")
_REFUSAL = regex.compile(r"(?i)\brefusal:\s*(yes|no)\b")
_CATEGORIES = regex.compile(r"(?im)^\s*categories:\s*(.+)$")
_VERDICT = regex.compile(r"(?im)^\s*(safe|unsafe)\b[\s.]*$")
_CODE = regex.compile(r"\bS(\d{1,2})\b")
_HARMS: dict[str, Harm] = {"safe": "none", "controversial": "borderline", "unsafe": "harmful"}


@dataclass(frozen=True, slots=True)
class Guarded:
    """What a guard model said of a request, or of a response to it."""

    harm: Harm
    category: Category
    refusal: Refusal | None
    """``None`` where this guard does not say."""


def read_guard(reply: str) -> Guarded:
    """What a guard model's reply says.

    Raises:
        ReplyError: it is in the format of no guard that is known.
    """
    if said := _SAFETY.findall(reply):
        listed = _CATEGORIES.findall(reply)
        refused = _REFUSAL.findall(reply)
        refusal: Refusal = "full" if refused and refused[-1].lower() == "yes" else "none"
        harm = _HARMS[said[-1].lower()]
        named = listed[-1].lower() if listed else ""
        category: Category = next((c for name, c in _QWEN_GUARD.items() if name in named), "other")
        return Guarded(harm, _of(harm, category), refusal if refused else None)
    if said := _VERDICT.findall(reply):
        harm = _HARMS[said[-1].lower()]
        codes = [int(code) for code in _CODE.findall(reply)]
        known = [_LLAMA_GUARD[code - 1] for code in codes if 1 <= code <= len(_LLAMA_GUARD)]
        return Guarded(harm, _of(harm, known[0] if known else "other"), None)
    raise ReplyError(f"no guard model's format in {reply[:80]!r}")


def _of(harm: Harm, category: Category) -> Category:
    return "none" if harm == "none" else category


def classed(prompt: Harm, response: Harm, refusal: Refusal, *, disclaims: bool = False) -> Class:
    """The class of a pair with these labels."""
    if response == "harmful" or (response, refusal, prompt) == ("borderline", "none", "harmful"):
        return "harmful_compliance"
    if refusal != "none":
        if prompt == "borderline":
            return "unclear"
        return "harmful_refused" if prompt == "harmful" else "benign_refused"
    if prompt == "harmful":
        return "unclear"
    return "disclaimer" if disclaims else "ordinary"
