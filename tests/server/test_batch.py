"""``vllm run-batch``: what goes in and what comes out."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path


def test_a_batch_file_goes_through(
    python: str, tiny: Path, environment: dict[str, str], tmp_path: Path
) -> None:
    def line(i: int, **body: object) -> str:
        messages = [{"role": "user", "content": f"Tell me about bread {i}."}]
        asked = {"model": "tiny", "messages": messages, "max_tokens": 8, "seed": i, **body}
        call = {"custom_id": f"call-{i}", "method": "POST", "url": "/v1/chat/completions"}
        return json.dumps({**call, "body": asked})

    calls = [*(line(i) for i in range(5)), line(5, model="another")]
    (tmp_path / "in.jsonl").write_text("\n".join(calls) + "\n")
    words = [python, "-m", "vllm.entrypoints.openai.run_batch", "--model", str(tiny)]
    words += ["-i", "in.jsonl", "-o", "out.jsonl", "--served-model-name", "tiny"]
    quiet = {"VLLM_NO_USAGE_STATS": "1", "DO_NOT_TRACK": "1"}
    ran = subprocess.run(
        [*words, "--max-model-len", "2048", "--enforce-eager"],
        cwd=tmp_path, capture_output=True, text=True,
        env={**os.environ, **environment, **quiet}, check=False, timeout=400,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr[-2000:]
    answers = [json.loads(each) for each in (tmp_path / "out.jsonl").read_text().splitlines()]
    by_id = {answer["custom_id"]: answer for answer in answers}
    assert set(by_id) == {f"call-{i}" for i in range(6)}
    for i in range(5):
        body = by_id[f"call-{i}"]["response"]["body"]
        assert body["choices"][0]["message"]["content"] and body["usage"]["completion_tokens"] == 8
    assert by_id["call-5"]["error"] or by_id["call-5"]["response"]["status_code"] >= 400
