from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path

import orjson
import pytest
import yaml
from typer.testing import CliRunner

from engine import session
from engine.calibrating import calibrate
from engine.cli import app
from engine.core import JobError
from engine.languages.limits import read
from engine.session import load
from engine.wiring import wire

DE = "Der Brunnen liegt hinter dem Haus, und das Wasser ist kalt. Nummer"
ZH = "水井在房子后面，水很凉。号码"
EN = "The well is behind the house, and the water is cold. Number"
BACK = {"de": "The well lies behind the house and its water is cold. Number", "zh-Hans": "A well"}


def lines(path: Path, count: int = 30) -> Path:
    rows = [
        {"from": "en", "into": tag, "source": f"{EN} {n}", "translation": f"{text} {n}",
         "engine": "m", "back": f"{BACK[tag]} {n}"}
        for tag, text in (("de", DE), ("zh-Hans", ZH))
        for n in range(count)
    ]  # fmt: skip
    path.write_bytes(b"\n".join(map(orjson.dumps, rows)))
    return path


def test_a_file_of_translations_becomes_limits_beside_it(tmp_path: Path):
    done = calibrate(str(lines(tmp_path / "set.jsonl")), None, 0.05, 30)
    assert done.path == tmp_path / "set.limits.yaml"
    limits = read(done.path)
    german, chinese = limits.of("en", "de", "m"), limits.of("en", "zh-CN", "m")
    assert german and chinese and german.count == chinese.count == 30
    low = chinese.bands["chrf"].min or 0
    assert (german.bands["chrf"].min or 0) > low + 20, "what is good differs by language"


def test_the_command_says_what_it_found_and_where_it_is(tmp_path: Path):
    said = CliRunner().invoke(app, ["calibrate", str(lines(tmp_path / "set.jsonl"))])
    assert said.exit_code == 0 and "en>de by m (30 translations): length_ratio" in said.output
    assert "limits: set.limits.yaml" in said.output
    words = ["calibrate", str(tmp_path / "set.jsonl"), "--json", "-o", str(tmp_path / "x.yaml")]
    value = orjson.loads(CliRunner().invoke(app, words).output)
    assert value["file"].endswith("x.yaml") and value["pairs"]["en>zh-Hans"]["m"]["count"] == 30


def test_too_few_translations_are_no_calibration(tmp_path: Path):
    said = CliRunner().invoke(app, ["calibrate", str(lines(tmp_path / "set.jsonl", 5))])
    assert said.exit_code == 2 and not (tmp_path / "set.limits.yaml").exists()


@pytest.mark.parametrize(
    "line, why",
    [(b"{", ":1: not JSON"), (b'{"from": "en"}', ":1: into"), (b"[1]", ":1:")],
)
def test_a_bad_line_is_named(tmp_path: Path, line: bytes, why: str):
    (tmp_path / "set.jsonl").write_bytes(line)
    with pytest.raises(JobError, match=why):
        calibrate(str(tmp_path / "set.jsonl"), None, 0.05, 30)


def test_a_run_is_calibrated_by_what_it_kept_but_never_a_rehearsal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(JobError, match="no run in"):
        calibrate("translate", None, 0.05, 30)
    session.run(load("translate", ["target.accepted=12"]), tmp_path / "out", rehearse=True)
    with pytest.raises(JobError, match="is a rehearsal"):
        calibrate("out", None, 0.05, 30)
    played_by("opus-big", tmp_path / "out" / "run.sqlite")
    done = calibrate("out", None, 0.05, 5)
    assert done.path == Path("translate.limits.yaml"), "a shipped job is not written beside"
    assert set(done.limits.pairs) == {"en>de", "en>sw", "en>zh-Hans"} and not done.few
    for by_engine in done.limits.pairs.values():
        assert set(by_engine) == {"opus-big"} and by_engine["opus-big"].count >= 8
        assert {"chrf", "length_ratio", "numbers"} <= by_engine["opus-big"].bands.keys()


def played_by(model: str, ledger: Path) -> None:
    """Have the run say that this model answered."""
    with contextlib.closing(sqlite3.connect(ledger)) as database, database:
        database.execute(
            "UPDATE outcomes SET body = CAST(replace(CAST(body AS TEXT), ?, ?) AS BLOB)",
            ("rehearsal", model),
        )
        database.execute("UPDATE calls SET model = ?", (model,))


def test_the_limits_of_a_file_are_what_a_job_names(tmp_path: Path):
    calibrate(str(lines(tmp_path / "set.jsonl")), tmp_path / "own.limits.yaml", 0.05, 30)
    job = {
        "version": 1, "job": "own", "models": {"translator": {"use": "auto"}},
        "source": {"use": "jsonl", "with": {"path": "set.jsonl", "text": "source", "language": "en",
                                            "response": ""}},
        "steps": {"translate": {"use": "translate", "from": "source",
                                "with": {"into": ["de"], "limits": "own.limits.yaml"}}},
    }  # fmt: skip
    (tmp_path / "job.yaml").write_text(yaml.safe_dump(job), encoding="utf-8")
    assert load(str(tmp_path / "job.yaml"), ())
    (tmp_path / "own.limits.yaml").write_text("chrf: 50\npairs: {}\ntail: 0.1\n")
    with pytest.raises(JobError, match="one limit of chrf for all languages"):
        wire(load(str(tmp_path / "job.yaml"), ()))
