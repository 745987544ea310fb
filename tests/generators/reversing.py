"""Documents, and replies kept as files, for the methods that work backwards from a text."""

from __future__ import annotations

import re
import zipfile
from pathlib import Path
from typing import Any

from engine.core import Drop, Message, Outcome, Record
from tests.conftest import SHARED

HERE = Path(__file__).parent / "replies"
DOCUMENTS = {
    "en": "A heap of leaves and kitchen scraps grows warm within a few days. Billions of bacteria "
    "feed on it, and their work gives off heat.\n\nIn winter the outside of the heap insulates "
    "the inside. Turn it once a month!  \r\nWater it when it is dry.\n",
    "de": "Brotteig braucht Zeit und keine Kraft. Mische am Abend Mehl, Wasser und Salz und stelle "
    "die Schüssel bis zum Morgen in die kühle Kammer.\n\nBis dahin ist er ganz ohne Kneten "
    "aufgegangen. Backe ihn heiß in einem Topf mit Deckel und nimm den Deckel für die letzte "
    "Viertelstunde ab.",
    "zh": "茶树喜欢温暖湿润的山坡。春天采下的嫩芽最香。\n\n炒青要快，火候要稳。"
    "你知道为什么吗？因为太慢会让叶子变红。采下的茶当天就要炒完，隔夜香气就散了。",
    "sw": "Mahindi yaliyokauka vizuri hayashambuliwi na wadudu kwa urahisi. Yaanike juani siku "
    "tatu mpaka punje zigonge kama kokoto.\n\nYahifadhi kwenye magunia safi juu ya mbao, mbali na "
    "ukuta, na uyakague kila wiki mbili.",
}  # fmt: skip
TAGS = {
    "eng": "en", "deu": "de", "fra": "fr", "spa": "es", "por_BR": "pt", "cmn_hans": "zh-Hans",
    "cmn_hant": "zh-Hant", "jpn": "ja", "kor": "ko", "arb": "ar", "hin": "hi", "ben": "bn",
    "tha": "th", "swh": "sw", "tur": "tr", "eus": "eu", "rus": "ru", "amh": "am", "khm": "km",
    "bod": "bo", "ell_monotonic": "el", "heb": "he", "kat": "ka", "hye": "hy", "tam": "ta",
    "mya": "my", "lao": "lo", "vie": "vi", "pes_1": "fa", "urd": "ur",
}  # fmt: skip
"""Names of texts in udhr2.zip and the tags of their languages; others are left out."""


def replies(method: str) -> list[Path]:
    return sorted((HERE / method).glob("*.txt"))


def written(path: Path) -> dict[str, str]:
    """The parts of a file: what a model said to each question, and the outcome."""
    parts = re.split(r"^=== (\w+)\n", path.read_text(encoding="utf-8"), flags=re.M)[1:]
    return {
        name: text.removesuffix("\n")
        for name, text in zip(parts[::2], parts[1::2], strict=True)
    }  # fmt: skip


def paper(language: str = "en", document: str = "", id: str = "seed", **facts: Any) -> Record:
    text = document or DOCUMENTS[language]
    return Record(id, language, (), {"document": text, "source": "papers", **facts})


def seed_pair(n: int = 0, language: str = "en", source: str = "seeds") -> Record:
    turns = (Message("user", f"Question {n}?"), Message("assistant", f"Answer number {n}."))
    return Record(f"pair{n:03}", language, turns, {"source": source})


def told(outcome: Outcome) -> str:
    if isinstance(outcome, Drop):
        return f"{outcome.reason} | {outcome.detail}".strip()
    return f"keep | {outcome.last('user')}"


def declarations() -> list[tuple[str, str, str]]:
    """Name, tag and text of the declaration of human rights, in the languages of ``TAGS``."""
    with zipfile.ZipFile(SHARED / "udhr2.zip") as files:
        names = [name for name in files.namelist() if Path(name).stem in TAGS]
        texts = [(Path(n).stem, files.read(n).decode("utf-8", "replace")) for n in sorted(names)]
    return [(name, TAGS[name], text) for name, text in texts]
