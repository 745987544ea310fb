"""A model that answers from a script, for tests."""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping, Sequence

from engine.models.chat import Count, Reply, Request, Sample, Scores, Texts, Vector

Said = str | int | Reply | Scores
Script = Said | Sequence[Said] | Callable[[Request], Said]


class FakeChat:
    """Answers by prompt name; keeps every request in ``asked``.

    A script value is the answer, a list of answers used in turn, or a function of the request.
    A request for n samples takes the next n of a list, or what is left of it. Scores are
    scripted in the same way, those without a prompt as ``score``, and numbers of tokens as
    ``count``; vectors by the text. An unscripted prompt or text is an error: a test says what it
    expects to be asked.
    """

    def __init__(
        self, script: Mapping[str, Script], vectors: Mapping[str, Sequence[float]] | None = None
    ) -> None:
        self._script, self._vectors = script, vectors or {}
        self._used: dict[str, int] = {}
        self.asked: list[Request] = []
        self.embedded: list[Texts] = []

    async def chat(self, request: Request) -> Reply:
        """Answer from the script."""
        replies = [_reply(said) for said in self._next(request, request.n)]
        if len(replies) == 1:
            return replies[0]
        samples = tuple(Sample(reply.text, reply.truncated) for reply in replies)
        out = sum(reply.tokens_out for reply in replies)
        return Reply(samples[0].text, "fake", tokens_in=1, tokens_out=out, samples=samples)

    async def score(self, request: Request) -> Scores:
        """Score from the script."""
        [scores] = self._next(request, 1)
        assert isinstance(scores, Scores), "the script has a text where scores are wanted"
        return scores

    async def count(self, request: Request) -> Count:
        """A number of tokens from the script."""
        [tokens] = self._next(request, 1)
        assert isinstance(tokens, int), "the script has no number where tokens are counted"
        return Count(tokens, "fake")

    async def embed(self, request: Texts) -> tuple[Vector, ...]:
        """Vectors from the script."""
        self.embedded.append(request)
        found = [self._vectors[text] for text in request.texts]
        return tuple(Vector(struct.pack(f"<{len(v)}f", *v), "fake", tokens_in=1) for v in found)

    def _next(self, request: Request, wanted: int) -> list[Said]:
        name = request.prompt.partition("@")[0]
        turn = self._used.get(request.prompt, 0)
        self.asked.append(request)
        answer = self._script[name]
        if callable(answer):
            return [answer(request)]
        if isinstance(answer, str | int | Reply | Scores):
            return [answer] * wanted
        found = list(answer[turn : turn + wanted])
        self._used[request.prompt] = turn + len(found)
        if not found:
            raise IndexError(f"{name} is asked more often than its script has answers")
        return found


def _reply(said: Said) -> Reply:
    if isinstance(said, Reply):
        return said
    assert isinstance(said, str), "the script has scores or a number where a text is wanted"
    return Reply(said, model="fake", tokens_in=1, tokens_out=len(said.split()))
