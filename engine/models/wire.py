"""JSON to a server and the text of its answer back, by the SDK's own http client.

The idea: the SDK's cost is not its connections but what it builds around each call: options,
headers and URL anew, typed requests and responses (0.57 ms of CPU a call; 1.1 with typed replies).
Its http client's own layers, for cookies, logins, redirects and decoding, take half of the rest.
So the transport is the SDK's, with its connections, TLS and proxies, and requests go straight to
it; headers are the SDK's but made once (and without those that only tell its makers about this
machine), errors are the SDK's classes, and the body goes as bytes. An answer that needs one of
those layers gets them: a redirect is asked again through the client, a packed body is unpacked.

It knows nothing of retries, nor of what the bodies mean.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any

import orjson

if TYPE_CHECKING:
    import openai


class Wire:
    """The connections to one server; lives as long as the SDK's client that it belongs to."""

    def __init__(self, sdk: openai.AsyncOpenAI, http: Any) -> None:
        """Send as ``sdk`` would; ``http`` is the http client that it was given."""
        self.sdk, self._http = sdk, http
        # httpx in the SDK's version 2, httpx2 in 3: whichever its client is made of
        library = import_module(type(http.headers).__module__.partition(".")[0])
        self._url, self._broken = library.URL, (library.HTTPError, OSError)
        self._request = library.Request
        headers = {**sdk.default_headers, **sdk.auth_headers}
        headers = {k: v for k, v in headers.items() if not k.lower().startswith("x-stainless")}
        http.headers.update({name: v for name, v in headers.items() if isinstance(v, str)})
        self._timeouts = {"timeout": http.timeout.as_dict()}
        self._urls: dict[str, tuple[Any, Any]] = {}

    async def post(self, path: str, body: Mapping[str, Any]) -> str:
        """The body of the answer to this one.

        Args:
            path: below the server's base URL, or a whole URL.
            body: JSON values.

        Raises:
            openai.APIStatusError: the server refused; 429 and 5xx as the SDK's own classes.
            openai.APIConnectionError: no answer, or half of one.
        """
        import openai

        url, transport = self._urls.get(path) or self._place(path)
        asked = self._request(
            "POST",
            url,
            headers=self._http.headers,
            content=orjson.dumps(body),
            extensions=self._timeouts,
        )
        try:
            answer = await transport.handle_async_request(asked)
            if answer.status_code == 200 and "content-encoding" not in answer.headers:
                return await _whole(answer)
            await answer.aread()
            if answer.has_redirect_location:
                answer = await self._http.send(asked)
        except self._broken as error:
            raise openai.APIConnectionError(request=asked) from error
        if not answer.is_success:
            raise _refusal(answer)
        return str(answer.content, "utf-8", "replace")

    async def close(self) -> None:
        """Close the connections."""
        await self.sdk.close()

    def _place(self, path: str) -> tuple[Any, Any]:
        """The whole URL, and what reaches it; reading one takes longer than sending: once each."""
        url = self._url(path if "://" in path else f"{self.sdk.base_url}".rstrip("/") + path)
        return self._urls.setdefault(path, (url, self._http._transport_for_url(url)))


async def _whole(answer: Any) -> str:
    """The body as it came; the connection is free again afterwards."""
    try:
        pieces = [piece async for piece in answer.stream]
    finally:
        await answer.stream.aclose()
    return str(b"".join(pieces), "utf-8", "replace")


def _refusal(answer: Any) -> openai.APIStatusError:
    """The SDK's error for an answer that is no 2xx, with the server's own words."""
    import openai

    kinds: dict[int, type[openai.APIStatusError]] = {
        400: openai.BadRequestError,
        401: openai.AuthenticationError,
        403: openai.PermissionDeniedError,
        404: openai.NotFoundError,
        409: openai.ConflictError,
        422: openai.UnprocessableEntityError,
        429: openai.RateLimitError,
    }
    other = openai.InternalServerError if answer.status_code >= 500 else openai.APIStatusError
    kind = kinds.get(answer.status_code, other)
    said: Any = answer.text.strip()
    message = f"Error code: {answer.status_code}" + (f" - {said}" if said else "")
    with contextlib.suppress(orjson.JSONDecodeError):
        said = orjson.loads(said)
    return kind(message, response=answer, body=said)
