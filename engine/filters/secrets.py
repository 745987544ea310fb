"""Secrets: no key, token or password of anybody's is trained on, or kept.

Found by what issuers put at the start of their keys, by form (private keys, web tokens, logins in
addresses) and by entropy behind a word that announces a secret (``engine.text.credentials``,
``taxonomies/secrets.yaml``). A dropped record is dropped with the secrets taken out: the list of
drops, the evidence and the log hold the kind and the number of what was found, never its value.
Only ``mark`` leaves it in the dataset.

Source: the idea of prefix and entropy is that of detect-secrets
(https://github.com/Yelp/detect-secrets).
Differs: every text of a record is read, its facts too; words in 22 languages.
"""

from __future__ import annotations

from collections import Counter
from typing import Literal

from pydantic import BaseModel

from engine.core import Drop, Finding, Outcome, Record
from engine.kit import Filter, Kit
from engine.text.credentials import find
from engine.text.everywhere import rewritten


class Params(BaseModel, extra="forbid"):
    """What happens to a record with a secret."""

    action: Literal["drop", "mask", "mark"] = "drop"
    """``drop`` the record; ``mask``: write REDACTED_AND_THE_KIND in the secret's place; ``mark``:
    leave it there, and count it in ``facts["secrets"]``."""


def check(record: Record, kit: Kit[Params]) -> Outcome | Finding:
    """Take every secret out, and say of which kinds they were."""
    found: Counter[str] = Counter()
    names: dict[str, str] = {}

    def masked(text: str) -> str:
        pieces, at = [], 0
        for secret in find(text):
            value = text[secret.start : secret.end]
            if value not in names:
                found[secret.kind] += 1
                names[value] = f"REDACTED_{secret.kind.upper()}_{found[secret.kind]}"
            pieces += [text[at : secret.start], names[value]]
            at = secret.end
        return "".join([*pieces, text[at:]])

    clean = rewritten(record, masked)
    if not found:
        return record
    counts = dict(sorted(found.items()))
    evidence = ", ".join(f"{kind} {number}" for kind, number in counts.items())
    if kit.params.action == "drop":
        return Drop(clean.with_facts(secrets=counts), "secret", evidence)
    kept = clean if kit.params.action == "mask" else record
    return Finding(kept.with_facts(secrets=counts), "pass", f"{kit.params.action}ed: {evidence}")


FILTER = Filter(check, Params)
