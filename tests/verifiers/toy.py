"""A scorer whose numbers can be worked out by hand.

A token is a line break, or a word with the blanks before it; its loss is a tenth of a nat for
each character of the word, and half of that where an earlier turn has the word. Of a bare text the
first token has no score, as with models that begin with no token of their own.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from engine.core import Message, Record
from engine.models.chat import Request, Scores

PAIRS = {
    "en": ("Name a red fruit.", "A cherry is a red fruit."),
    "de": ("Nenne eine rote Frucht.", "Die Kirsche ist eine rote Frucht."),
    "zh-Hans": ("说出 一种 红色 水果。", "樱桃 是 一种 红色 水果。"),
    "ar": ("اذكر فاكهة حمراء", "الكرز فاكهة حمراء اللون"),
    "hi": ("एक लाल फल बताओ", "चेरी एक लाल फल है"),
    "th": ("บอก ผลไม้ สีแดง", "เชอร์รี เป็น ผลไม้ สีแดง"),
    "sw": ("Taja tunda jekundu", "Stroberi ni tunda jekundu sana"),
}
"""An instruction and its response in seven languages."""


def pair(language: str) -> Record:
    asked, said = PAIRS[language]
    return Record("seed", language, (Message("user", asked), Message("assistant", said)))


def pieces(text: str) -> list[str]:
    return re.findall(r"\n|[^\S\n]*\S+|[^\S\n]+", text)


def nll(word: str, said: str = "") -> float:
    plain = word.strip()
    return len(plain) / 10 * (0.5 if plain in re.findall(r"\S+", said) else 1)


def scored(request: Request) -> Scores:
    *before, last = request.messages
    said = " ".join(message.content for message in before)
    tokens = pieces(last.content)
    kept = tokens if before else tokens[1:]
    return Scores(tuple(kept), tuple(-nll(token, said) for token in kept), "toy")


def mean_nll(text: str, said: str = "", skip: int = 0) -> float:
    """The loss of a text from its token ``skip`` on, after turns that say ``said``."""
    losses = [nll(token, said) for token in pieces(text)[skip:]]
    return sum(losses) / len(losses)


SCRIPT: Mapping[str, Any] = {"score": scored}
ODD = ["", " \n", "\ud800", "\x00", "x"]
"""Responses that no score should stumble over."""
