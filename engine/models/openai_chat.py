"""Any OpenAI-compatible server as a ``Chat``: the only file that touches the SDK.

The idea: the SDK does transport and errors, tenacity decides what is worth another try, and a
reply is read straight from its JSON. The SDK's own way of building and parsing typed objects
costs as much as all the rest (0.97 ms of CPU a call against 0.54 for ``post`` with a plain
body), and at 500 calls in flight that is what starves a server.

It knows nothing of replicas, admission or journals; see ``pool`` and ``journal`` for those.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from engine.core import JobError, ModelError
from engine.models.chat import Reply, Request

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
LOOSENING = frozenset({"uniqueItems"})
"""Schema keywords not sent: vLLM 0.32 refuses them (400 ``Grammar error``); validation has them."""
ABORTED = frozenset({"abort", "error"})
"""Finish reasons by which vLLM says that it gave the request up; the text is a fragment."""


class _BrokenReply(Exception):
    """A 200 that is cut short, empty or no chat completion."""


@dataclass(frozen=True, slots=True)
class _Line:
    """What lives as long as one event loop: connections, and the rule for retries."""

    loop: asyncio.AbstractEventLoop
    sdk: openai.AsyncOpenAI
    passing: tuple[type[Exception], ...]
    """Errors worth another try."""
    retrying: tenacity.AsyncRetrying


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
    ) -> None:
        self._url = plain_url(url)
        self._model = model
        self._api_key = api_key or "-"
        self._timeout_s = timeout_s
        self._sampling = dict(sampling or {})
        self._retries = retries
        self._wait_s = wait_s
        self._open: _Line | None = None

    def __repr__(self) -> str:
        return f"OpenAIChat({self._url!r}, {self._model!r})"

    async def chat(self, request: Request) -> Reply:
        """Answer; see ``Chat``."""
        import openai

        line = self._line()
        body = self._body(request)
        try:
            return await self._answer(line, body)
        except openai.APIStatusError as error:
            raise ModelError(self._refused(request, error)) from error
        except (openai.APIConnectionError, TimeoutError, _BrokenReply) as error:
            raise ModelError(self._unanswered(request, self._why(error))) from error

    async def close(self) -> None:
        """Close the connections; a later call opens new ones."""
        line, self._open = self._open, None
        if line is not None and line.loop is asyncio.get_running_loop():
            await line.sdk.close()

    async def _answer(self, line: _Line, body: dict[str, Any]) -> Reply:
        # tenacity costs 0.1 ms a call, a sixth of all: it is asked only when a first try failed,
        # and sees that failure as its own first try
        try:
            return await self._try(line.sdk, body)
        except line.passing as error:
            failed = [error]

        async def again() -> Reply:
            if failed:
                raise failed.pop()
            return await self._try(line.sdk, body)

        reply: Reply = await line.retrying.copy()(again)  # a copy: it keeps the state of a call
        return reply

    async def _try(self, sdk: openai.AsyncOpenAI, body: dict[str, Any]) -> Reply:
        # The whole exchange is timed: some gateways send blanks to keep a connection alive, and
        # a limit on the pause between two bytes would never end those.
        async with asyncio.timeout(self._timeout_s):
            answer = await sdk.post("/chat/completions", body=body, cast_to=str)
        return _read(answer, self._model)

    def _body(self, request: Request) -> dict[str, Any]:
        fields: dict[str, Any] = {
            "model": self._model,
            "messages": [{"role": m.role, "content": _clean(m.content)} for m in request.messages],
            "seed": request.seed,
        }
        if request.schema is not None:
            fields["response_format"] = _response_format(request.schema)
        fields |= request.sampling
        fields |= self._sampling
        fields |= fields.pop("extra_body", None) or {}  # as people write it for the SDK
        return {name: value for name, value in fields.items() if value is not None}

    def _line(self) -> _Line:
        loop = asyncio.get_running_loop()
        if self._open is None or self._open.loop is not loop:
            passing = _passing()
            self._open = _Line(loop, self._connect(), passing, self._rule(passing))
        return self._open

    def _connect(self) -> openai.AsyncOpenAI:
        import openai

        # 0 is aiohttp's word for no limit; None would mean its default of 100. The Limits class
        # is the SDK's own choice of httpx, which changed between its versions 2 and 3.
        limits = type(openai.DEFAULT_CONNECTION_LIMITS)(
            max_connections=0, max_keepalive_connections=None, keepalive_expiry=KEEP_ALIVE_S
        )
        proxied = urlsplit(self._url).hostname not in LOOPBACK
        return openai.AsyncOpenAI(
            base_url=self._url,
            api_key=self._api_key,
            max_retries=0,
            timeout=openai.Timeout(None, connect=min(self._timeout_s, CONNECT_S)),
            http_client=openai.DefaultAioHttpClient(limits=limits, trust_env=proxied),
        )

    def _rule(self, passing: tuple[type[Exception], ...]) -> tenacity.AsyncRetrying:
        import tenacity

        return tenacity.AsyncRetrying(
            retry=tenacity.retry_if_exception_type(passing),
            stop=tenacity.stop_after_attempt(self._retries + 1),
            wait=_waits(*self._wait_s),
            reraise=True,
        )

    def _refused(self, request: Request, error: openai.APIStatusError) -> str:
        said = f"{error.status_code} {self._quoted(_said(error.body) or error.message)}"
        if error.status_code == 429 or error.status_code >= 500:
            return self._unanswered(request, said)
        schema = "; the request carries a JSON schema" if request.schema is not None else ""
        return f"{self._name(request)} refused: {said}{schema}"

    def _unanswered(self, request: Request, why: str) -> str:
        return f"{self._name(request)} gave no reply in {self._retries + 1} tries, at last: {why}"

    def _name(self, request: Request) -> str:
        prompt = f" for {request.prompt}" if request.prompt else ""
        return f"{self._url} (model {self._model}{prompt})"

    def _why(self, error: BaseException) -> str:
        if isinstance(error, TimeoutError):
            return f"nothing within {self._timeout_s:g} s"
        # the SDK says "Connection error." and leaves what happened to the cause
        return self._quoted(str(error.__cause__ or "") or str(error) or type(error).__name__)

    def _quoted(self, words: str) -> str:
        hidden = words.replace(self._api_key, "***") if len(self._api_key) > 3 else words
        return " ".join(hidden.split())[:SHOWN]


def _passing() -> tuple[type[Exception], ...]:
    import openai

    return (
        openai.APIConnectionError,  # and the SDK's time-outs
        openai.RateLimitError,
        openai.InternalServerError,
        TimeoutError,
        _BrokenReply,
    )


def _read(body: str, model: str) -> Reply:
    """The reply in the body of a chat completion.

    Raises:
        _BrokenReply: it is none, or the server gave up on the way.
    """
    try:  # the standard library's parser: orjson refuses a body with a lone surrogate in it
        answer = json.loads(body)
    except ValueError:
        raise _BrokenReply(f"a body that is not JSON: {body[:80]!r}") from None
    try:
        choice = answer["choices"][0]
        message, finish = choice["message"], choice.get("finish_reason")
        text = message.get("content") or message.get("refusal") or ""
        usage = answer.get("usage") or {}
        served = answer.get("model") or model
    except (KeyError, IndexError, TypeError, AttributeError):
        raise _BrokenReply(_said(answer) or f"no choices: {str(answer)[:80]}") from None
    if finish in ABORTED or not isinstance(text, str):
        raise _BrokenReply(f"finish_reason {finish}, content {str(text)[:80]!r}")
    return Reply(
        _clean(text),
        served,
        usage.get("prompt_tokens") or 0,
        usage.get("completion_tokens") or 0,
        truncated=finish == "length",
    )


def _response_format(schema: Mapping[str, Any]) -> dict[str, Any]:
    # No "strict": vLLM, llama.cpp and Ollama hold a reply to its schema without it, and OpenAI
    # refuses with it every schema that has an optional field.
    return {"type": "json_schema", "json_schema": {"name": "reply", "schema": _sendable(schema)}}


def _sendable(schema: Any) -> Any:
    """The schema without keywords that servers refuse; a property may still have such a name."""
    if isinstance(schema, Mapping):
        return {
            key: _sendable(value)
            for key, value in schema.items()
            if key not in LOOSENING or isinstance(value, Mapping)
        }
    return [_sendable(item) for item in schema] if isinstance(schema, list) else schema


def _clean(text: str) -> str:
    """The text with U+FFFD for each lone surrogate: nothing later could encode those."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def _said(body: object) -> str:
    """The server's own words in an error body, in any of the shapes servers use; else empty."""
    while isinstance(body, Mapping):
        body = next((body[k] for k in ("error", "message", "detail") if body.get(k)), "")
    return body if isinstance(body, str) else str(body or "")


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
    asked = headers.get("retry-after", "").strip()
    if not asked:
        return None
    try:
        return max(0.0, float(asked))
    except ValueError:
        pass
    try:  # by the server's clock where it tells: ours may differ
        now = _date(headers["date"]) if "date" in headers else datetime.now(UTC)
        return max(0.0, (_date(asked) - now).total_seconds())
    except ValueError:
        return None


def _date(text: str) -> datetime:
    when = parsedate_to_datetime(text)
    return when if when.tzinfo else when.replace(tzinfo=UTC)
