from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from engine.core import JobError, Record
from engine.sources.aligned import SOURCE
from tests.conftest import SHARED, needs_shared, read

LINES = {
    "en": "One well.\n\nTwo goats.\nThree trees.",
    "de": "Ein Brunnen.\n\nZwei Ziegen.\nDrei Bäume.",
    "th": "บ่อน้ำหนึ่งบ่อ\n\nแพะสองตัว\nต้นไม้สามต้น",
    "ar": "بئر واحدة.\n\n\nثلاث أشجار.",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for tag, text in LINES.items():
        (tmp_path / f"{tag}.txt").write_text(f"{text}\n", encoding="utf-8")
    return tmp_path


def seeds(folder: Path, **more: Any) -> list[Record]:
    return list(read(SOURCE, folder, path=".", **more))


def directions(found: list[Record]) -> Counter[str]:
    return Counter(f"{r.facts['source_language']}>{r.language}" for r in found)


def test_every_ordered_pair_of_languages_is_a_direction(folder: Path) -> None:
    found = seeds(folder)
    assert len(directions(found)) == 12 and directions(found)["en>de"] == 3
    assert directions(found)["en>ar"] == directions(found)["ar>th"] == 2, "a blank side is skipped"
    first = next(r for r in found if (r.facts["source_language"], r.language) == ("th", "de"))
    assert (first.facts["source_text"], first.facts["target_text"]) == (
        "บ่อน้ำหนึ่งบ่อ", "Ein Brunnen.",
    )  # fmt: skip
    assert first.language == first.facts["target_language"] == "de" and not first.messages
    assert len({record.id for record in found}) == len(found)


def test_a_skipped_line_is_counted(folder: Path) -> None:
    numbers = [r.facts["number"] for r in seeds(folder) if r.language == "de"]
    assert set(numbers) == {0, 2, 3}
    arabic = [r.facts["number"] for r in seeds(folder) if r.language == "ar"]
    assert set(arabic) == {0, 3}


def test_a_blank_first_line_moves_nothing(tmp_path: Path) -> None:
    (tmp_path / "en.txt").write_text("\n\nsea\n", encoding="utf-8")
    (tmp_path / "sw.txt").write_text("\nziwa\r\nbahari\n", encoding="utf-8")
    assert {(r.facts["source_text"], r.facts["number"]) for r in seeds(tmp_path)} == {
        ("sea", 2), ("bahari", 2),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("how", "wanted"),
    [({"directions": "from"}, {"en>ar": 2, "en>de": 3, "en>th": 3}),
     ({"directions": "to"}, {"ar>en": 2, "de>en": 3, "th>en": 3}),
     ({"directions": "both", "most": 1}, dict.fromkeys(
         ["en>ar", "ar>en", "en>de", "de>en", "en>th", "th>en"], 1)),
     ({"directions": "turns"}, {"en>ar": 1, "ar>en": 1, "en>de": 2, "de>en": 1, "en>th": 2,
                                "th>en": 1})],
)  # fmt: skip
def test_directions_are_those_of_the_job(
    folder: Path, how: dict[str, Any], wanted: dict[str, int]
) -> None:
    assert directions(seeds(folder, through=["en"], **how)) == wanted


def test_wherever_a_job_stops_directions_are_balanced(tmp_path: Path) -> None:
    for tag in ("eu", "hi", "sw"):
        text = "\n".join(f"{tag} {n}" if n % 7 else "" for n in range(101))
        (tmp_path / f"{tag}.txt").write_text(text, encoding="utf-8")
    for how in ("both", "turns"):
        found = seeds(tmp_path, directions=how)
        for stop in range(20, len(found), 13):
            counts = directions(found[:stop])
            assert max(counts.values()) - min(counts.values()) <= 1, (how, stop)


def test_folders_of_languages_hold_many_texts(tmp_path: Path) -> None:
    for tag in ("en", "fr"):
        (tmp_path / tag).mkdir()
        for name in ("a", "b"):
            (tmp_path / tag / f"{name}.txt").write_text(f"{tag} {name}\nx", encoding="utf-8")
    found = seeds(tmp_path, language_from="folder")
    assert {r.facts["piece"] for r in found} == {"a.txt#1", "a.txt#2", "b.txt#1", "b.txt#2"}
    assert directions(found) == {"en>fr": 4, "fr>en": 4}


def test_whole_documents_may_be_aligned(folder: Path) -> None:
    found = seeds(folder, by="documents")
    assert len(found) == 12 and found[0].facts["source_text"] == LINES["ar"]


def test_mistakes_are_named(folder: Path) -> None:
    with pytest.raises(JobError, match=r"no two texts that are versions"):
        seeds(folder, glob=["en.txt"])
    with pytest.raises(JobError, match=r"no two texts that are versions"):
        seeds(folder, by="numbers")
    (folder / "sw.txt").write_text("Kisima kimoja.\n", encoding="utf-8")
    with pytest.raises(JobError, match=r"not aligned.*sw: 1"):
        seeds(folder)
    (folder / "sw.txt").unlink()
    (folder / "en-old.txt").write_text(LINES["en"], encoding="utf-8")
    with pytest.raises(JobError, match=r"a second text in en"):
        seeds(folder)


@pytest.mark.parametrize("how", [{"directions": "from"}, {"split": "sections"}, {"by": "meaning"}])
def test_settings_that_do_not_go_together_are_refused(folder: Path, how: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        seeds(folder, **how)


@needs_shared
def test_articles_of_declarations_are_aligned_by_their_numbers() -> None:
    names = {"eng": "en", "swh": "sw", "cmn_hans": "zh-Hans", "amh": "am", "khm": "km"}
    found = list(
        read(
            SOURCE,
            SHARED,
            path="udhr2.zip",
            glob=[f"{name}.txt" for name in names],
            languages=names,
            by="numbers",
        )
    )
    assert directions(found) == dict.fromkeys(directions(found), 30) and len(found) == 20 * 30
    slavery = {r.language: r.facts["target_text"] for r in found if r.facts["piece"] == "#4"}
    assert "slavery" in slavery["en"] and "奴隶" in slavery["zh-Hans"]
    assert "utumwa" in slavery["sw"].lower() and set(slavery) == set(names.values())
