"""One vLLM as a supervised process: its loading, its life, its death, and its next life.

What it says of itself is believed only as far as it was seen: up means that a real generation
was answered, dead that its process ended or that it stopped answering. A life begins with a free
port and ends with its last words, which its log has.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
import socket
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from engine.core import JobError, ModelError
from engine.models import command, guard
from engine.models.admission import Feedback
from engine.models.command import NAPS, SHARE, Serving
from engine.models.devices import TURN_SHARE
from engine.models.openai_chat import OpenAIChat
from engine.models.probe import Abilities, Probe, Refused
from engine.models.server_log import ServerLog

if TYPE_CHECKING:
    import aiohttp

T = TypeVar("T")

GRACE_S = 8.0
"""Seconds for what should take one or two."""
LOOK_S = (0.1, 1.0)
"""Shortest and longest pause between two looks whether a loading server is there."""
HEALTH_S = 10.0
UNWELL = 6
"""Looks in a row at a server that is up without a good answer before it counts as dead."""
BACK_OFF_S = (1.0, 60.0)
DEATHS = 5
"""Deaths in a row, without an answer in between, after which a server is given up; and deaths
that one call may live through, since it may be what kills."""
TRIES = 4
"""Of one start: at a port that was free when it was chosen, and without sleep mode."""
NAP_S = 600.0
"""For falling asleep and for waking up, which move a model's weights."""


class Died(Exception):
    """The server that was asked is no longer there."""


@dataclass(frozen=True, slots=True)
class Spec:
    """One server to be: what the job says, and where it runs."""

    name: str
    """``writer-0``: the model's name in the job and the number of the replica."""
    serving: Serving
    model: str
    """A folder or a hub id, as vLLM takes it."""
    asked: str
    """The name that requests ask for."""
    replica: int
    command: Sequence[str]
    environment: Mapping[str, str] = field(repr=False)
    base: Path
    """Relative paths among its flags start from here."""
    log: Path
    error: Callable[[str], JobError]
    """An error that says where in the job."""
    timeout_s: float = 600.0
    """Of one reply."""
    back_off_s: tuple[float, float] = BACK_OFF_S
    grace_s: float = GRACE_S
    """That it has to end by itself."""
    feedback: Feedback | None = None
    """What its client's tries are told to."""
    takes_turns: bool = False
    """It starts when it is woken, and not before."""


Turn = Callable[[Sequence[str]], AbstractAsyncContextManager[None]]
"""Waits until a server may load on these devices."""


class Server:
    """One server's life, and the lives after that."""

    def __init__(self, spec: Spec, tell: Callable[[], None], turn: Turn) -> None:
        """A server that is not started yet; ``tell`` is called when it is up, down or given up."""
        self.spec = spec
        self.state = ""
        """One sentence while it is not up; empty before it is started and while it is up."""
        self.failure = ""
        """Why it was given up."""
        self.bug: BaseException | None = None
        """What ended its keeping that nobody foresaw."""
        self.lives = 0
        """How often it came up."""
        self.abilities = Abilities()
        self.busy = 0
        self._tell, self._turn = tell, turn
        self._devices = spec.serving.share(spec.replica)
        self.key = secrets.token_urlsafe(24)
        """What it asks for in every call; nobody else knows it."""
        self.root = ""
        """Its address without /v1, while it is up."""
        self._client: OpenAIChat | None = None
        self._held: set[asyncio.Timeout] = set()
        self._answered = False
        self._keeper: asyncio.Task[None] | None = None
        self._log = ServerLog(spec.log)
        self._naps = spec.takes_turns and spec.serving.flag(NAPS, True) is not False
        self._asleep = self._resting = False

    @property
    def up(self) -> bool:
        """Whether it takes calls."""
        return self._client is not None and not self._asleep

    def begin(self) -> None:
        """Start it, and keep it running; nothing happens where that was said before."""
        if self._keeper is None and not self.failure:
            self._keeper = asyncio.ensure_future(self._keep())
            self._keeper.add_done_callback(self._over)

    async def ask(self, call: Callable[[OpenAIChat], Awaitable[T]]) -> T:
        """Make a call of it.

        Raises:
            Died: it is not there any more; the call is to be made again.
        """
        if self._client is None or self._asleep:
            raise Died
        self.busy += 1
        try:
            async with asyncio.timeout(None) as held:  # a death makes it time out at once
                self._held.add(held)
                try:
                    answer = await call(self._client)
                finally:
                    self._held.discard(held)
        except TimeoutError as error:
            if held.expired():
                raise Died from error
            raise
        finally:
            self.busy -= 1
        self._answered = True
        return answer

    async def close(self) -> None:
        """End it for good, and wait until its processes are gone."""
        self.failure = self.failure or "it was ended with the run"
        await self._end()

    async def rest(self) -> None:
        """Give its devices up: asleep where it can be, else ended; no call is on its way."""
        self._resting = True
        if self.up and self._naps and self.abilities.sleep and await self._told("/sleep?level=1"):
            self._asleep, self.state = True, "asleep"
        else:
            await self._end()
            self.state = "ended, since its devices are another's"
        self._log.note(self.state)

    async def wake(self) -> None:
        """Take its devices again; it is up later, or given up."""
        self._resting = False
        if self._asleep and not await self._told("/wake_up"):
            await self._end()
        elif self._asleep:
            self._log.note("awake")
            self.state = ""
        self._asleep = False
        self.begin()
        self._tell()

    async def _end(self) -> None:
        if keeper := self._keeper:
            keeper.cancel()
            await asyncio.wait([keeper])
            self._keeper, self._asleep = None, False

    async def _told(self, path: str) -> bool:
        import aiohttp

        try:
            async with self._session(NAP_S) as session:
                return await Probe(session, self.root, self.spec.asked).told(path)
        except (aiohttp.ClientError, TimeoutError):
            return False

    def _over(self, keeper: asyncio.Task[None]) -> None:
        if not keeper.cancelled() and (bug := keeper.exception()):
            self.bug = bug
        self._tell()

    # -- its lives ---------------------------------------------------------------------------

    async def _keep(self) -> None:
        deaths = 0
        while True:
            why = await self._live()
            deaths = 1 if self._answered else deaths + 1
            if self._resting:  # its devices are another's now: it starts when it is woken
                self._log.note(f"{why}; starting again with its next turn")
                self._keeper, self._asleep = None, False
                return
            if not self.lives or deaths >= DEATHS:
                times = f"; it died {deaths} times in a row" if self.lives else ""
                self.failure = f"{why}{times}; its log: {self.spec.log}"
                self.state = f"given up: {why}"
                return
            wait = min(self.spec.back_off_s[0] * 2 ** (deaths - 1), self.spec.back_off_s[1])
            self.state = f"{why}; starting again in {wait:.0f} s"
            self._tell()
            await asyncio.sleep(wait)

    async def _live(self) -> str:
        """From start to end; why it ended."""
        self._answered = False
        self.state = "waits for another server to load"
        async with contextlib.AsyncExitStack() as held:
            turn = await held.enter_async_context(contextlib.AsyncExitStack())
            await turn.enter_async_context(self._turn(self._devices))
            for _ in range(TRIES):
                try:
                    port = self._port()
                except OSError as error:
                    return f"port {self._wanted_port()} of this machine is taken: {error.strerror}"
                process = await held.enter_async_context(self._process(port))
                why = await self._load(process, f"http://127.0.0.1:{port}")
                if not self._otherwise(why):
                    break
            if why:
                return why
            await turn.aclose()
            return await self._serve(process, f"http://127.0.0.1:{port}")

    async def _load(self, process: asyncio.subprocess.Process, root: str) -> str:
        """Wait until it has generated something; why it has not, or nothing."""
        self.state = f"vLLM is loading {self.spec.serving.serve}; its log: {self.spec.log}"
        limit_s = self.spec.serving.start_timeout_s
        ended = asyncio.ensure_future(process.wait())
        ready = asyncio.ensure_future(self._ready(root))
        try:
            await asyncio.wait({ended, ready}, timeout=limit_s, return_when="FIRST_COMPLETED")
            if ready.done() and not ended.done():
                self.abilities = ready.result()
                return ""
            if ended.done():
                return (
                    f"vLLM ended while it was loading: {self._log.last_words(process.returncode)}"
                )
            return f"vLLM did not answer within start_timeout_s ({limit_s:g} s)"
        except Refused as error:
            return str(error)
        except ModelError as error:
            with contextlib.suppress(TimeoutError):  # a request that kills is told by the log
                await asyncio.wait_for(asyncio.shield(ended), GRACE_S / 2)
            words = f": {self._log.last_words(process.returncode)}" if ended.done() else ""
            return f"{error}{words}"
        finally:
            for task in (ended, ready):
                task.cancel()
            await asyncio.wait({ended, ready})

    async def _serve(self, process: asyncio.subprocess.Process, root: str) -> str:
        """Take calls until it dies; of what."""
        spec, about = self.spec, self.abilities
        self._log.note(f"ready: vLLM {about.version}, {about.max_model_len} tokens; {about.told()}")
        url, heard = f"{root}/v1", spec.feedback
        client = OpenAIChat(url, spec.asked, self.key, spec.timeout_s, feedback=heard)
        self._client, self.root, self.state = client, root, ""
        self.lives += 1
        self._tell()
        unwell = asyncio.ensure_future(self._unwell(root))
        ended = asyncio.ensure_future(process.wait())
        try:
            await asyncio.wait({unwell, ended}, return_when="FIRST_COMPLETED")
            if ended.done():
                return f"vLLM died: {self._log.last_words(process.returncode)}"
            return "vLLM no longer answers GET /health"
        finally:
            self._client, self.root = None, ""
            for held in self._held:
                held.reschedule(asyncio.get_running_loop().time())
            for task in (unwell, ended):
                task.cancel()
            await asyncio.wait({unwell, ended})
            await client.close()

    # -- what it says ------------------------------------------------------------------------

    async def _ready(self, root: str) -> Abilities:
        import aiohttp

        pause = LOOK_S[0]
        async with self._session(self.spec.serving.start_timeout_s) as session:
            probe = Probe(session, root, self.spec.asked)
            while True:
                with contextlib.suppress(aiohttp.ClientError):
                    if await probe.healthy():
                        break
                await asyncio.sleep(pause)
                pause = min(pause * 1.5, LOOK_S[1])
            try:
                return await probe.abilities()
            except aiohttp.ClientError as error:
                raise ModelError(f"its first generation failed: {error}") from error

    async def _unwell(self, root: str) -> None:
        """Returns when it has stopped answering, although its process is still there."""
        import aiohttp

        missed = 0
        async with self._session(HEALTH_S * UNWELL) as session:
            probe = Probe(session, root, self.spec.asked)
            while missed < UNWELL:
                await asyncio.sleep(HEALTH_S)
                try:
                    missed = 0 if await probe.healthy() else missed + 1
                except (aiohttp.ClientError, TimeoutError):
                    missed += 1

    def _session(self, total_s: float) -> aiohttp.ClientSession:
        import aiohttp

        return aiohttp.ClientSession(
            headers={"Authorization": f"Bearer {self.key}"},
            timeout=aiohttp.ClientTimeout(total=total_s),
            trust_env=False,
        )

    # -- its process -------------------------------------------------------------------------

    @contextlib.asynccontextmanager
    async def _process(self, port: int) -> AsyncIterator[asyncio.subprocess.Process]:
        """The guard with the server behind it, ended on the way out."""
        spec = self.spec
        more = {NAPS: True, SHARE: TURN_SHARE} if self._naps else {}
        words = command.arguments(spec.serving, spec.model, port, spec.replica, more)
        self._log.note(f"starting: {' '.join([*spec.command, *words])}", begins=True)
        log = os.open(spec.log, os.O_WRONLY | os.O_APPEND)
        try:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-I", "-S", str(guard.__file__), str(spec.grace_s)),
                *(*spec.command, *words),
                stdin=asyncio.subprocess.PIPE,  # closed when this process ends, however it does
                stdout=log,
                stderr=log,
                cwd=spec.base,
                env=command.environment(spec.environment, self.key, self._devices, naps=self._naps),
                start_new_session=True,
            )
        finally:
            os.close(log)
        try:
            yield process
        finally:
            assert process.stdin
            process.stdin.close()
            try:
                await asyncio.wait_for(process.wait(), spec.grace_s + 2 * GRACE_S)
            except TimeoutError:
                process.kill()
                await process.wait()

    def _otherwise(self, why: str) -> bool:
        """Whether another try, of what the engine itself chose, may help against this."""
        if self._naps and "sleep" in why.lower():  # not on this platform, or in this version
            self._naps = False
            return True
        return not self._wanted_port() and "address already in use" in why.lower()

    def _wanted_port(self) -> int:
        given = self.spec.serving.flags().get("port")
        return int(given) + self.spec.replica if given else 0

    def _port(self) -> int:
        """A port that is free now."""
        with socket.socket() as found:
            found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            found.bind(("127.0.0.1", self._wanted_port()))
            return int(found.getsockname()[1])
