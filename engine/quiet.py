"""Nothing is reported to anybody: what libraries would send, switched off.

Called before the libraries are imported, since some of them read the environment only then.
"""

from __future__ import annotations

import os
from collections.abc import MutableMapping

OFF = {
    "LANGSMITH_TRACING": "false",
    "LANGCHAIN_TRACING_V2": "false",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "DO_NOT_TRACK": "1",
    "RAY_USAGE_STATS_ENABLED": "0",
}
"""LangGraph's tracing to LangSmith, the hub client's telemetry, and the common wish."""


def hush(environment: MutableMapping[str, str] | None = None) -> None:
    """Switch off tracing and telemetry, whatever the environment said: prompts are private.

    Args:
        environment: the process's own where none is given.
    """
    (os.environ if environment is None else environment).update(OFF)
