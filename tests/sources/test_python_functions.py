from __future__ import annotations

from itertools import islice
from pathlib import Path

import pytest

from engine import shipped
from engine.core import JobError
from engine.sources.python_functions import SOURCE
from tests.conftest import read

FILE = '''
import math


def {name}(r):
    """Return {what} of something round."""
    return {body}


def helper():
    pass
'''


def put(base: Path, path: str, name: str, what: str, body: str) -> None:
    (base / path).parent.mkdir(parents=True, exist_ok=True)
    text = FILE.format(name=name, what=what, body=body)
    (base / path).write_text(text, encoding="utf-8")


def test_functions_come_in_the_order_of_files_with_languages_in_turn(tmp_path: Path) -> None:
    put(tmp_path, "code/b.py", "área", "the area", "math.pi * r * r")
    put(
        tmp_path, "code/a/z.py", "volume", "how much fits in, for a ball", "4 / 3 * r**3 * math.tau"
    )
    put(tmp_path, "code/.hidden/c.py", "other", "nothing that counts", "sum([r, r, r])")
    (tmp_path / "code/broken.py").write_bytes(b"def \xff(")
    seeds = list(
        read(SOURCE, tmp_path, path="code", languages=["de", "zh_hans"], licence="CC0-1.0")
    )
    assert [(s.language, s.facts["path"], s.facts["function"]) for s in seeds] == [
        ("de", "a/z.py", "volume"),
        ("zh-Hans", "b.py", "área"),
    ]
    assert seeds[1].facts["snippet"].startswith("import math\n\ndef área(r):")
    assert seeds[0].facts["licence"] == "CC0-1.0" and seeds[0].messages == ()
    assert len({seed.id for seed in seeds}) == 2


def test_a_function_near_to_an_earlier_one_is_left_out(tmp_path: Path) -> None:
    put(tmp_path, "a.py", "area", "the area", "math.pi * r * r")
    put(tmp_path, "b.py", "area_of", "the area", "math.pi * r * r")
    assert len(list(read(SOURCE, tmp_path, path=".", languages=["de"]))) == 1
    assert len(list(read(SOURCE, tmp_path, path=".", languages=["de"], near=1.0))) == 2


def test_a_folder_without_such_a_function_is_an_error_that_says_what_is_wanted(
    tmp_path: Path,
) -> None:
    (tmp_path / "a.py").write_text("x = 1\n", encoding="utf-8")
    with pytest.raises(JobError, match="no function that stands alone"):
        list(read(SOURCE, tmp_path, path="a.py", languages=["de"]))


def test_the_functions_that_come_with_the_engine_are_all_seeds() -> None:
    found = list(islice(read(SOURCE, shipped.JOBS, path="functions", languages=["sw"]), 100))
    assert len(found) >= 20
