"""The tasks that a seed brings along to be shown to a model, as sources draw them."""

from __future__ import annotations

from collections.abc import Mapping

from engine.core import JobError, Json


def tasks_shown(given: object, *fields: str) -> list[Mapping[str, Json]]:
    """The tasks in the fact ``demonstrations``, each with these texts.

    Raises:
        JobError: there are none, or one lacks a text: the step is fed from a wrong source.
    """
    tasks = given if isinstance(given, list | tuple) else []
    if not tasks:
        raise JobError(
            "a seed brings no demonstrations for a step that shows some: use a source that draws "
            "them, `pool` or `demonstration_sets`"
        )
    for task in tasks:
        for name in fields:
            if not isinstance(task, Mapping) or not isinstance(task.get(name), str):
                raise JobError(f"a demonstration has no text {name!r}: {str(task)[:200]}")
    return list(tasks)
