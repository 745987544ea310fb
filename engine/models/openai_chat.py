"""Any OpenAI-compatible server as a ``Chat``: the only file that touches the SDK.

The idea: the SDK does transport and errors (see ``wire`` for how, at a fifth of its usual cost),
tenacity decides what is worth another try, and a reply is read straight from its JSON.

It knows nothing of replicas, admission or journals; see ``pool`` and ``journal`` for those.
What the bodies look like is written in ``bodies`` and ``openai_score``.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import partial
from typing import TYPE_CHECKING, Any, Generic, TypeVar
from urllib.parse import urlsplit

from engine.core import JobError, ModelError
from engine.models import bodies, openai_score
from engine.models.admission import Feedback
from engine.models.bodies import BrokenReply
from engine.models.chat import Count, Reply, Request, Scores, Texts, Vector
from engine.models.wire import Wire

if TYPE_CHECKING:
    import openai
    import tenacity

CONNECT_S = 30.0
"""Time for a connection to open; a reply may take ``timeout_s``."""
KEEP_ALIVE_S = 4.0
"""vLLM closes idle connections after 5 s: an older one is not used again."""
SHOWN = 500
"""Characters of a server's own words that an error quotes."""
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Line:
    """What lives as long as one event loop: connections, and the rule for retries."""

    loop: asyncio.AbstractEventLoop
    wire: Wire
    failures: tuple[type[Exception], ...]
    """What a try may end with; ``_passes`` says which of them are worth another."""
    retrying: tenacity.AsyncRetrying


@dataclass(frozen=True, slots=True)
class _Ask(Generic[T]):
    """One exchange: what is sent where, and how the answer is read."""

    path: str
    body: Mapping[str, Any]
    read: Callable[[str], T]
    prompt: str = ""
    """For errors."""
    ability: str = ""
    """What the server cannot do if it does not know the path or the answer lacks something."""
    carries: str = ""
    """What may be why the server refuses."""


def plain_url(url: str) -> str:
    """The base URL of a server, fit to be shown: without a slash at its end.

    Raises:
        JobError: it is no such address, or carries what should be secret.
    """
    parts = urlsplit(url.strip())
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise JobError(f"{url!r} is no server's address; one is http://127.0.0.1:8000/v1")
    if "@" in parts.netloc or parts.query:
        raise JobError(
            f"the address of {parts.hostname} has a user, password or query in it; "
            "what is secret belongs in the API key"
        )
    return parts.geturl().rstrip("/")


class OpenAIChat:
    """One server and one of its models.

    Args:
        url: base URL as the SDK takes it, e.g. ``http://127.0.0.1:8000/v1``.
        model: model name to ask for.
        api_key: never shown, neither in errors nor in ``repr``.
        timeout_s: seconds for one try, from sending to the last byte.
        sampling: fields that override a request's own; fields that are not OpenAI's (``top_k``,
            ``min_p``) are sent as they are, ``None`` leaves a field out.
        retries: further tries after the first.
        wait_s: shortest and longest wait between two tries, in seconds. Waits double, with
            jitter; a server's Retry-After replaces them, up to the longest.
        feedback: told of each try, and asked before a further one.

    Raises:
        JobError: ``url`` is no address of a server; see ``plain_url``.
    """

    def __init__(
        self,
        url: str,
        model: str,
        api_key: str = "-",
        timeout_s: float = 600.0,
        sampling: Mapping[str, Any] | None = None,
        retries: int = 5,
        wait_s: tuple[float, float] = (1.0, 60.0),
        feedback: Feedback | None = None,
    ) -> None:
        self._url = plain_url(url)
        self._model = model
        self._api_key = api_key or "-"
        self._timeout_s = timeout_s
        self._sampling = dict(sampling or {})
        self._retries = retries
        self._wait_s = wait_s
        self._feedback = feedback
        self._open: _Line | None = None
        self._plain_choice = False

    def __repr__(self) -> str:
        return f"OpenAIChat({self._url!r}, {self._model!r})"

    async def chat(self, request: Request) -> Reply:
        """Answer; see ``Chat``."""
        if self._plain_choice and request.options:
            request = replace(request, options=())
        reads = partial(bodies.read, model=self._model)
        sent, carries = self.body(request), _carries(request)
        ask = _Ask("/chat/completions", sent, reads, request.prompt, carries=carries)
        try:
            return await self._call(ask)
        except ModelError as error:
            if not request.options or bodies.CHOICE_FIELD not in str(error):
                raise
        self._plain_choice = True  # it refuses the field, as OpenAI does: the kit checks anyway
        return await self.chat(request)

    async def score(self, request: Request) -> Scores:
        """Log-probabilities of the last message's tokens; see ``Model``."""
        model, said = self._model, request.prompt
        reads = partial(openai_score.read_scored, model=model)
        able = "score (log-probabilities of a prompt)"
        if len(request.messages) == 1:
            sent = openai_score.bare_body(request, model)
            found = await self._call(_Ask("/completions", sent, reads, said, able))
            return _scores(found, slice(None))
        rendered = bodies.rendering({**request.sampling, **self._sampling})
        sent = openai_score.chat_body(request, model, rendered)
        found = await self._call(_Ask("/chat/completions", sent, reads, said, able))
        sent = openai_score.tokens_body(request, model, rendered)
        other = await self._call(_Ask(self._tokenize, sent, openai_score.read_ids, said, able))
        return _scores(found, openai_score.within(found.ids, other))

    async def count(self, request: Request) -> Count:
        """Tokens of the messages, as vLLM's ``/tokenize`` cuts them; see ``Model``."""
        rendered = bodies.rendering({**request.sampling, **self._sampling})
        sent = openai_score.count_body(request, self._model, rendered)
        able = "count tokens (vLLM's /tokenize)"
        ask = _Ask(self._tokenize, sent, openai_score.read_ids, request.prompt, able)
        ids: tuple[int, ...] = await self._call(ask)
        return Count(len(ids), self._model)

    async def embed(self, request: Texts) -> tuple[Vector, ...]:
        """A vector for each text; see ``Model``."""
        asked = replace(request, sampling={**request.sampling, **self._sampling})
        count = len(asked.texts)
        reads = partial(openai_score.read_vectors, model=self._model, wanted=count)
        sent = openai_score.embed_body(asked, self._model)
        found, model, tokens = await self._call(_Ask("/embeddings", sent, reads, ability="embed"))
        shares = (tokens // count + (i < tokens % count) for i in range(count))
        return tuple(Vector(*each) for each in zip(found, [model] * count, shares, strict=True))

    @property
    def _tokenize(self) -> str:
        """Where vLLM cuts texts into tokens: beside ``/v1``."""
        return f"{self._url.removesuffix('/v1')}/tokenize"

    async def close(self) -> None:
        """Close the connections; a later call opens new ones."""
        line, self._open = self._open, None
        if line is not None and line.loop is asyncio.get_running_loop():
            await line.wire.close()

    async def _call(self, ask: _Ask[T]) -> T:
        import openai

        line = self._line()
        try:
            return await self._answer(line, ask)
        except openai.APIStatusError as error:
            raise ModelError(self._refused(ask, error)) from error
        except (openai.APIConnectionError, TimeoutError, BrokenReply) as error:
            raise ModelError(self._unanswered(ask, self._why(error))) from error
        except openai_score.Lacking as error:
            raise ModelError(f"{self._name(ask)} cannot {ask.ability}: {error}") from error

    async def _answer(self, line: _Line, ask: _Ask[T]) -> T:
        # tenacity costs 0.1 ms a call, a sixth of all: it is asked only when a first try failed,
        # and sees that failure as its own first try
        if self._feedback:
            self._feedback.sent()
        try:
            return await self._told(line, ask)
        except line.failures as error:
            if not _passes(error):
                raise
            failed = [error]

        async def again() -> T:
            if failed:
                raise failed.pop()
            if self._feedback:
                await self._feedback.turn()
            return await self._told(line, ask)

        answer: T = await line.retrying.copy()(again)  # a copy: it keeps the state of a call
        return answer

    async def _told(self, line: _Line, ask: _Ask[T]) -> T:
        try:
            return await self._try(line.wire, ask)
        except line.failures as error:
            if self._feedback and _passes(error):
                response = getattr(error, "response", None)
                pushed_back = getattr(response, "status_code", 0) in (429, 503)
                after_s = _retry_after(getattr(response, "headers", {}))
                self._feedback.failed(error, pushed_back=pushed_back, after_s=after_s)
            raise
        finally:
            if self._feedback:
                self._feedback.back()

    async def _try(self, wire: Wire, ask: _Ask[T]) -> T:
        # The whole exchange is timed: some gateways send blanks to keep a connection alive, and
        # a limit on the pause between two bytes would never end those.
        async with asyncio.timeout(self._timeout_s):
            answer = await wire.post(ask.path, ask.body)
        return ask.read(answer)

    def body(self, request: Request) -> dict[str, Any]:
        """The chat completion that ``chat`` would ask for, as JSON values."""
        return bodies.body(request, self._model, self._sampling)

    def _line(self) -> _Line:
        loop = asyncio.get_running_loop()
        if self._open is None or self._open.loop is not loop:
            self._open = _Line(loop, self._connect(), _failures(), self._rule())
        return self._open

    def _connect(self) -> Wire:
        import openai

        # 0 is aiohttp's word for no limit; None would mean its default of 100. The Limits class
        # is the SDK's own choice of httpx, which changed between its versions 2 and 3.
        limits = type(openai.DEFAULT_CONNECTION_LIMITS)(
            max_connections=0, max_keepalive_connections=None, keepalive_expiry=KEEP_ALIVE_S
        )
        proxied = urlsplit(self._url).hostname not in LOOPBACK
        timeout = openai.Timeout(None, connect=min(self._timeout_s, CONNECT_S))
        http = openai.DefaultAioHttpClient(limits=limits, trust_env=proxied, timeout=timeout)
        sdk = openai.AsyncOpenAI(base_url=self._url, api_key=self._api_key, http_client=http)
        return Wire(sdk, http)

    def _rule(self) -> tenacity.AsyncRetrying:
        import tenacity

        return tenacity.AsyncRetrying(
            retry=tenacity.retry_if_exception(_passes),
            stop=tenacity.stop_after_attempt(self._retries + 1),
            wait=_waits(*self._wait_s),
            reraise=True,
        )

    def _refused(self, ask: _Ask[Any], error: openai.APIStatusError) -> str:
        said = f"{error.status_code} {self._quoted(bodies.said(error.body) or error.message)}"
        if _passes(error):
            return self._unanswered(ask, said)
        why = ask.carries
        if ask.ability and error.status_code in (400, 404, 405, 422):
            sure = "" if error.status_code == 404 else "perhaps "
            why += f"; {sure}it cannot {ask.ability}"
        return f"{self._name(ask)} refused: {said}{why}"

    def _unanswered(self, ask: _Ask[Any], why: str) -> str:
        return f"{self._name(ask)} gave no reply in {self._retries + 1} tries, at last: {why}"

    def _name(self, ask: _Ask[Any]) -> str:
        prompt = f" for {ask.prompt}" if ask.prompt else ""
        return f"{self._url} (model {self._model}{prompt})"

    def _why(self, error: BaseException) -> str:
        if isinstance(error, TimeoutError):
            return f"nothing within {self._timeout_s:g} s"
        # the SDK says "Connection error." and leaves what happened to the cause
        return self._quoted(str(error.__cause__ or "") or str(error) or type(error).__name__)

    def _quoted(self, words: str) -> str:
        hidden = words.replace(self._api_key, "***") if len(self._api_key) > 3 else words
        return " ".join(hidden.split())[:SHOWN]


def _failures() -> tuple[type[Exception], ...]:
    import openai

    return openai.APIConnectionError, openai.APIStatusError, TimeoutError, BrokenReply


def _passes(error: BaseException) -> bool:
    """Whether another try may do better: all but the server's own word that it will not."""
    status = getattr(error, "status_code", 0)
    return isinstance(error, _failures()) and (not 300 <= status < 500 or status in bodies.PASSING)


def read(body: str, model: str) -> Reply:
    """The reply in the body of a chat completion that came by another way than ``chat``.

    Raises:
        ModelError: it is none, or the server gave up on the way.
    """
    try:
        return bodies.read(body, model)
    except BrokenReply as error:
        raise ModelError(str(error)) from error


def _carries(request: Request) -> str:
    said = "; the request carries a JSON schema" if request.schema is not None else ""
    if request.n > 1:
        said += f"; the request wants {request.n} samples (n), which not every server gives"
    if request.tools:
        said += (
            "; the request carries tools: vLLM takes them when it is started with "
            "--enable-auto-tool-choice --tool-call-parser PARSER"
        )
    return said


def _scores(found: openai_score.Scored, part: slice) -> Scores:
    """The scored tokens of a part of the prompt."""
    both = zip(found.tokens[part], found.logprobs[part], strict=True)
    told = [(token, logprob) for token, logprob in both if logprob is not None]
    tokens, logprobs = tuple(token for token, _ in told), tuple(logprob for _, logprob in told)
    return Scores(tokens, logprobs, found.model, found.tokens_in)


def _waits(shortest: float, longest: float) -> Callable[[tenacity.RetryCallState], float]:
    import tenacity

    jitter = tenacity.wait_random(0, shortest)  # or all who were refused come back at once
    backoff = tenacity.wait_exponential(multiplier=shortest, max=longest) + jitter

    def wait(state: tenacity.RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome else None
        asked = _retry_after(getattr(getattr(error, "response", None), "headers", {}))
        return backoff(state) if asked is None else min(asked, longest) + jitter(state)

    return wait


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds that a server asks to wait for, as it says in seconds or as a date; else None."""
    for name, unit_s in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        with contextlib.suppress(ValueError):
            return max(0.0, float(headers.get(name, "")) * unit_s)
    asked = headers.get("retry-after", "").strip()
    if not asked:
        return None
    try:  # by the server's clock where it tells: ours may differ
        now = _date(headers["date"]) if "date" in headers else datetime.now(UTC)
        return max(0.0, (_date(asked) - now).total_seconds())
    except ValueError:
        return None


def _date(text: str) -> datetime:
    when = parsedate_to_datetime(text)
    return when if when.tzinfo else when.replace(tzinfo=UTC)
