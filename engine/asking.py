"""What a part may touch: one record's models, prompts, randomness and settings.

Every question goes to the model of a role, is journalled before its answer is seen, and stands
in the record's lineage. An answer of the wrong shape is asked for again with the reason; what is
still wrong then is an error, never a guess.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from pydantic import BaseModel

from engine import tools as calling
from engine.core import Call, Hop, Message, Record, ReplyError, stable_id
from engine.languages.names import english_name
from engine.models.bodies import clean
from engine.models.chat import (
    Chat,
    Count,
    Reply,
    Request,
    Sample,
    Scores,
    Texts,
    Tool,
    Vector,
    able,
)
from engine.prompting import Library, Prompt
from engine.text.choosing import chosen

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

P = TypeVar("P", bound=BaseModel)
T = TypeVar("T")

REASKS = 2
"""How often a reply of the wrong shape is asked for again before the record is dropped."""
AGAIN = Prompt("kit/again", reply=str)
EMBEDDER = "embedder"
"""The role that embeds; without a model of its own it is played by hashed character n-grams."""
SCORER = "scorer"
"""The role that scores what no prompt file asked for."""
COUNTER = "counter"
"""The role whose server says how many tokens a chat is."""
BATCH = 64
"""Texts embedded by one call."""


@dataclass(slots=True)
class Kit(Generic[P]):
    """One record's way through one step: its models, prompts, randomness and settings."""

    params: P
    record: Record
    _seed: str
    _models: Mapping[str, Chat]
    _prompts: Library
    _depth: int = 0
    _calls: list[Call] = field(default_factory=list)

    @property
    def language(self) -> str:
        """English name of the record's language, e.g. ``Swahili``: what a prompt should say."""
        return english_name(self.record.language)

    def random(self, *name: object) -> random.Random:
        """The random numbers called ``name``, e.g. ``kit.random("move", 2)``.

        They depend on the job's seed, the step, the record and the name; not on what was drawn
        before, so nodes that run side by side cannot disturb each other.
        """
        return random.Random(stable_id(self._seed, *map(str, name)))

    async def ask(
        self, prompt: Prompt[T], /, *, take: int = 0, language: str = "", **inputs: object
    ) -> T:
        """Render ``prompt``, send it to the model of its role, read the reply.

        A reply of the wrong shape is asked for again, with the reason, ``REASKS`` times.

        Args:
            prompt: which question, and the type of its answer.
            take: tells apart several samples of the same question.
            language: BCP-47 tag the reply is wanted in and that picks the prompt's variant;
                the record's own where empty. A prompt that declares an input ``language`` is
                given its English name.
            inputs: what the prompt's header declares.

        Raises:
            ReplyError: no reply was of the prompt's type.
            ModelError: no server answered, after retries.
        """
        request = self._request(prompt, take, language, inputs)
        return await self._settled(request, lambda reply: _read(prompt, reply))

    async def ask_many(
        self, prompt: Prompt[T], n: int, /, *, take: int = 0, language: str = "", **inputs: object
    ) -> list[T]:
        """``n`` samples of one question in one call, as ``ask`` would read each.

        A server that sends fewer is asked again for the rest. A sample of the wrong shape is
        asked for again by itself, as in ``ask``, and left out if it stays wrong: the list may
        be shorter than ``n`` (1 or more), but is never empty. At a sampling temperature of 0
        all are the same.

        Raises:
            ReplyError: no sample at all was of the prompt's type.
            ModelError: no server answered, after retries.
        """
        if n < 1:
            raise ValueError(f"n is 1 or more, not {n}")
        request = replace(self._request(prompt, take, language, inputs), n=n)
        errors: list[ReplyError] = []

        async def settled(at: int, sample: Sample) -> list[T]:
            one = replace(request, n=1, seed=self._seed_of(request, "again", at))
            reply = Reply(sample.text, "", truncated=sample.truncated)
            try:
                return [await self._settled(one, lambda reply: _read(prompt, reply), reply)]
            except ReplyError as error:
                errors.append(error)
                return []

        samples = await self._samples(request)
        found = await asyncio.gather(*(settled(at, each) for at, each in enumerate(samples)))
        if len(errors) == len(samples):
            raise errors[0]
        return [value for values in found for value in values]

    async def choose(
        self,
        prompt: Prompt[str],
        options: Sequence[str],
        /,
        *,
        take: int = 0,
        language: str = "",
        **inputs: object,
    ) -> str:
        """One of ``options``, as the model chooses.

        The server is told to write nothing else (vLLM's ``structured_outputs``); as others
        ignore that, the prompt should name the options, too. The reply is held against them
        whoever wrote it, ignoring case, quotes and a full stop around it. ``options`` are two
        texts or more, stripped, each another one.

        Raises:
            ReplyError: no reply was one of them.
            ModelError: no server answered, after retries.
        """
        among = tuple(options)
        if len(set(among)) < max(2, len(among)) or any(o != o.strip() or not o for o in among):
            raise ValueError(f"options are two or more different texts, stripped: {among}")
        request = self._request(prompt, take, language, inputs)
        request = replace(request, schema=None, options=among)
        return await self._settled(request, lambda reply: chosen(reply.text, among))

    async def call_tools(
        self,
        prompt: Prompt[str],
        tools: Sequence[Tool],
        /,
        *,
        take: int = 0,
        language: str = "",
        **inputs: object,
    ) -> calling.ToolReply:
        """What the model says and calls when it may call ``tools``.

        Every call names one of the tools and has arguments that follow its schema; a reply with
        another is asked for again. Whether to call is the model's choice, unless the prompt's
        sampling has ``tool_choice: required``. vLLM takes tools when it is started with
        ``--enable-auto-tool-choice --tool-call-parser PARSER``. There is one tool or more, each
        with a name of its own.

        Raises:
            ReplyError: no reply could be used.
            ModelError: no server answered, or it takes no tools.
        """
        calling.check(tools)
        request = self._request(prompt, take, language, inputs)
        request = replace(request, schema=None, tools=tuple(tools))
        return await self._settled(request, lambda reply: calling.read(reply, tools))

    async def score(
        self,
        prompt: Prompt[Any] | Sequence[Message] | None,
        completion: str,
        /,
        *,
        role: str = "",
        language: str = "",
        **inputs: object,
    ) -> Scores:
        """How likely the model finds ``completion`` as the reply: log-probabilities by token.

        Only tokens of the completion are returned, none of the prompt or the chat template.
        Needs vLLM (``prompt_logprobs``).

        Args:
            prompt: a prompt, filled in from ``inputs`` as in ``ask``; or the turns before the
                completion; or ``None`` to score it as bare text, after nothing. Then the first
                token has nothing before it and is left out, unless the model begins every text
                with a token of its own.
            completion: scored as it is.
            role: who scores; the prompt's own role, or ``scorer``, where empty. A part names
                roles that none of its prompts has in its ``roles``.
            language: picks the prompt's variant, as in ``ask``.
            inputs: what the prompt's header declares.

        Raises:
            ModelError: no server answered, or it cannot score.
            ReplyError: nothing of the completion could be scored, or it is blank.
        """
        if not completion.strip():
            raise ReplyError("a blank completion has nothing to score")
        last = Message("assistant", clean(completion))
        if isinstance(prompt, Prompt):
            asked = self._request(prompt, 0, language, inputs)
            asked = replace(asked, messages=(*asked.messages, last), role=role or asked.role)
        else:
            turns = (*(prompt or ()), last)
            asked = Request(turns, prompt="score", role=role or SCORER, depth=self._deep)
        scores = await able(self._model(asked.role), "score").score(asked)
        self._calls.append(
            Call(asked.prompt, asked.role, scores.model, scores.key, scores.tokens_in)
        )
        if not scores.tokens:
            raise ReplyError(f"no token of {completion[:80]!r} could be scored")
        return scores

    async def embed(self, texts: Sequence[str], /, *, role: str = EMBEDDER) -> NDArray[np.float32]:
        """Vectors of length 1 (L2), one row for each text; their dot product is the cosine.

        A model that plays the role ``embedder`` (a part lists it in its ``roles``) is asked at
        its embeddings endpoint; where the job gives it to none, the built-in character n-grams
        answer (``engine.text.hashed``: 512 columns, spelling and no meaning). Each text is
        journalled by itself. A blank text is a row of zeros and costs nothing.

        Raises:
            ModelError: no server answered, or it has no embeddings.
        """
        import numpy as np

        from engine.text import hashed

        wanted = list(dict.fromkeys(text for text in map(clean, texts) if text.strip()))
        if role == EMBEDDER and role not in self._models:
            if wanted:
                self._calls.append(Call("embed", role, hashed.NAME, ""))
            rows = {text: hashed.vector(text) for text in wanted}
            size = hashed.DIMENSION
        else:
            vectors = await self._vectors(wanted, role)
            rows = {text: vector.unit() for text, vector in vectors.items()}
            size = max(map(len, rows.values()), default=0)
        out = np.zeros((len(texts), size), np.float32)
        for at, text in enumerate(map(clean, texts)):
            if text in rows:
                out[at] = rows[text]
        return out

    async def count(self, messages: Sequence[Message], /, *, role: str = COUNTER) -> Count:
        """How many tokens these turns are to the model that plays ``role``, before it replies.

        Its server cuts them (vLLM's ``/tokenize``), chat template and opening of the reply
        included. The rehearsal model estimates them from bytes; ``Count.model`` says so.

        Raises:
            ModelError: no server answered, or it does not tell.
        """
        turns = tuple(replace(message, content=clean(message.content)) for message in messages)
        asked = Request(turns, prompt="count", role=role, depth=self._deep)
        found = await able(self._model(role), "count tokens").count(asked)
        self._calls.append(Call(asked.prompt, role, found.model, found.key))
        return found

    async def _vectors(self, texts: list[str], role: str) -> dict[str, Vector]:
        model = able(self._model(role), "embed")
        batches = [tuple(texts[at : at + BATCH]) for at in range(0, len(texts), BATCH)]
        asked = (model.embed(Texts(batch, role=role, depth=self._deep)) for batch in batches)
        vectors = [vector for batch in await asyncio.gather(*asked) for vector in batch]
        self._calls.extend(Call("embed", role, v.model, v.key, v.tokens_in) for v in vectors)
        return dict(zip(texts, vectors, strict=True))

    @property
    def _deep(self) -> int:
        """How far the record has come: later calls of a seed go first."""
        return self._depth + len(self._calls)

    def _model(self, role: str) -> Chat:
        if role not in self._models:  # the part asks what it has not declared
            raise LookupError(f"no prompt of this part has the role {role!r}, nor do its `roles`")
        return self._models[role]

    def _seed_of(self, request: Request, *name: object) -> int:
        return self.random("ask", request.seed, *name).getrandbits(31)

    async def _settled(
        self, request: Request, read: Callable[[Reply], T], reply: Reply | None = None
    ) -> T:
        """What ``read`` makes of the reply; one that it refuses is asked for again."""
        for left in range(REASKS, -1, -1):
            reply = reply or await self._send(request)
            try:
                return read(reply)
            except ReplyError as error:
                if not left:
                    raise ReplyError(f"{request.prompt.partition('@')[0]}: {error}") from error
                request, reply = self._again(request, reply, str(error)), None
        raise AssertionError("unreachable: the loop returns or raises")

    async def _samples(self, request: Request) -> list[Sample]:
        """As many samples as the request wants, in as few calls as the server allows."""
        found = _samples_in(await self._send(request))
        while (missing := request.n - len(found)) > 0:
            size = len(found)
            asked = [
                replace(
                    request,
                    n=min(size, missing - at),
                    seed=self._seed_of(request, "rest", size + at),
                )
                for at in range(0, missing, size)
            ]
            replies = await asyncio.gather(*map(self._send, asked))
            found += [sample for reply in replies for sample in _samples_in(reply)]
        return found[: request.n]

    def _request(
        self, prompt: Prompt[Any], take: int, language: str, inputs: Mapping[str, object]
    ) -> Request:
        tag = language or self.record.language
        template = self._prompts.load(prompt.name, tag)
        header = template.header
        if "language" in header.inputs:
            inputs = {"language": english_name(tag), **inputs}
        return Request(
            messages=template.render(inputs),
            sampling=header.sampling,
            schema=prompt.schema,
            seed=self.random("ask", prompt.name, take).getrandbits(31),
            take=take,
            prompt=template.version,
            role=header.role,
            form=header.form,
            language=tag,
            inputs=inputs,
            depth=self._deep,
        )

    def _again(self, request: Request, reply: Reply, error: str) -> Request:
        said = Message("assistant", calling.told(reply)[:2000] or "(empty)")
        ask = self._prompts.load(AGAIN.name).render({"error": error})
        return replace(request, messages=(*request.messages, said, *ask), depth=request.depth + 1)

    async def _send(self, request: Request) -> Reply:
        reply = await self._model(request.role).chat(request)
        self._calls.append(
            Call(
                request.prompt,
                request.role,
                reply.model,
                reply.key,
                reply.tokens_in,
                reply.tokens_out,
            )
        )
        return reply

    def hop(self, step: str) -> Hop:
        """What this step did, as provenance.

        Calls are ordered by what they are, not by when they came back: lineage must not depend
        on timing. The journal knows the order in time.
        """
        return Hop(
            step, self.record.id, tuple(sorted(self._calls, key=lambda c: (c.prompt, c.key)))
        )


def _read(prompt: Prompt[T], reply: Reply) -> T:
    return prompt.read(reply.text, truncated=reply.truncated)


def _samples_in(reply: Reply) -> list[Sample]:
    return list(reply.samples) or [Sample(reply.text, reply.truncated)]
