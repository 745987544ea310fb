"""Log-probabilities by transformers: ``python by_transformers.py FOLDER``, asked line by line.

Run by the interpreter of the environment that has vLLM. A line is a JSON list of conversations;
the answer has, for each, the log-probabilities of the tokens of its last message, from the logits
of the model in 32-bit floats: in the chat template, or of bare text where it is the only message.
"""

from __future__ import annotations

import json
import sys
from typing import Any

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

Turns = list[dict[str, str]]


def ids(tokenizer: Any, text: str) -> list[int]:
    found: list[int] = tokenizer(text, add_special_tokens=False)["input_ids"]
    return found


def split(tokenizer: Any, turns: Turns) -> tuple[list[int], list[int]]:
    """The ids before the last message's content, and those of the content."""
    content = ids(tokenizer, turns[-1]["content"])
    if len(turns) == 1:
        return [], content
    ahead = tokenizer.apply_chat_template(turns[:-1], tokenize=False, add_generation_prompt=True)
    whole = tokenizer.apply_chat_template(turns, tokenize=False)
    before = ids(tokenizer, ahead)
    assert ids(tokenizer, whole)[: len(before) + len(content)] == before + content
    return before, content


def logprobs(model: Any, before: list[int], content: list[int]) -> list[float]:
    every = torch.tensor([before + content])
    with torch.no_grad():
        found = torch.log_softmax(model(every).logits[0].double(), -1)
    start = max(len(before), 1)
    return [float(found[at - 1, every[0, at]]) for at in range(start, every.shape[1])]


def main(folder: str) -> None:
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    for line in sys.stdin:
        asked: list[Turns] = json.loads(line)
        found = [logprobs(model, *split(tokenizer, turns)) for turns in asked]
        print(json.dumps(found), flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
