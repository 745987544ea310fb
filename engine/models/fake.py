"""A model that answers from a script, for tests."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from engine.models.chat import Reply, Request

Script = str | Reply | Sequence[str | Reply] | Callable[[Request], str | Reply]


class FakeChat:
    """Answers by prompt name; keeps every request in ``asked``.

    A script value is the answer, a list of answers used in turn, or a function of the request.
    An unscripted prompt is an error: a test says what it expects to be asked.
    """

    def __init__(self, script: Mapping[str, Script]) -> None:
        self._script = script
        self.asked: list[Request] = []

    async def chat(self, request: Request) -> Reply:
        """Answer from the script."""
        name = request.prompt.partition("@")[0]
        turn = sum(r.prompt == request.prompt for r in self.asked)
        self.asked.append(request)
        answer = self._script[name]
        if callable(answer):
            answer = answer(request)
        elif not isinstance(answer, str | Reply):
            answer = answer[turn]
        if isinstance(answer, Reply):
            return answer
        return Reply(answer, model="fake", tokens_in=1, tokens_out=len(answer.split()))
