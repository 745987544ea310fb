"""What is kept of an error that a part raises."""

from __future__ import annotations

from engine.core import ModelError
from engine.growth import told


def raised(error: Exception, *notes: str) -> Exception:
    for note in notes:
        error.add_note(note)
    try:
        raise error
    except Exception as caught:  # noqa: BLE001 - any
        return caught


def test_the_error_has_the_last_word_and_the_notes_of_libraries_the_first() -> None:
    kept = told(raised(KeyError("haystack"), "During task with name 'draw'")).splitlines()
    assert kept[0] == "During task with name 'draw'" and kept[-1] == "KeyError: 'haystack'"
    assert kept.count("During task with name 'draw'") == 1
    assert any("in raised" in line for line in kept), "a bug is kept with its traceback"


def test_what_was_foreseen_is_one_line() -> None:
    assert told(raised(ModelError("no server"), "During task")) == "ModelError: no server"
