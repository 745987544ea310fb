"""What a seed brings along to be shown."""

from __future__ import annotations

import pytest

from engine.core import JobError
from engine.text.shown_tasks import tasks_shown

TASK = {"instruction": "แปลเป็นภาษาเยอรมัน", "input": ""}


def test_tasks_come_as_they_are() -> None:
    assert tasks_shown([TASK], "instruction", "input") == [TASK]
    assert tasks_shown((TASK, TASK), "instruction") == [TASK, TASK]


@pytest.mark.parametrize("given", [None, [], "text", 7, {}])
def test_a_step_that_is_fed_from_a_wrong_source_is_told_which_would_do(given: object) -> None:
    with pytest.raises(JobError, match="brings no demonstrations"):
        tasks_shown(given, "instruction")


@pytest.mark.parametrize("task", [{}, {"instruction": 3}, "text", None])
def test_a_task_without_its_texts_is_shown(task: object) -> None:
    with pytest.raises(JobError, match="has no text 'instruction'"):
        tasks_shown([TASK, task], "instruction")
