"""A LoRA adapter from lessons: ``python -m engine.training.lora SPEC.json``.

The only file that imports torch, transformers, trl and peft, and it is never imported: it runs as
a process, so that what training holds is free again when it ends. The loss is that of the
completions alone: what a lesson asks is never a target. The folder of the adapter is there when
it is whole, and not before.

Source: Hu et al., "LoRA: Low-Rank Adaptation of Large Language Models", 2021, arXiv:2106.09685.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any


def train(spec: dict[str, Any]) -> None:
    """Train the adapter that ``spec`` describes; see ``tuning`` for what stands in it."""
    import torch
    from datasets import Dataset
    from peft import LoraConfig
    from transformers import AutoModelForCausalLM, AutoTokenizer, set_seed
    from trl import SFTTrainer

    set_seed(spec["seed"])
    lines = Path(spec["lessons"]).read_text(encoding="utf-8").splitlines()
    out, half = Path(spec["out"]), torch.cuda.is_available()
    dtype = torch.bfloat16 if half else torch.float32
    model = AutoModelForCausalLM.from_pretrained(spec["base"], dtype=dtype)
    shape = LoraConfig(
        r=spec["rank"],
        lora_alpha=spec["alpha"],
        target_modules="all-linear",
        task_type="CAUSAL_LM",
    )
    trainer = SFTTrainer(
        model=model,
        args=_settings(spec, half),
        train_dataset=Dataset.from_list([json.loads(line) for line in lines]),
        processing_class=AutoTokenizer.from_pretrained(spec["base"]),
        peft_config=shape,
    )
    trainer.train()
    trainer.model.save_pretrained(str(out))


def _settings(spec: dict[str, Any], half: bool) -> Any:
    from trl import SFTConfig

    return SFTConfig(
        output_dir=f"{spec['out']}-state",
        num_train_epochs=spec["epochs"],
        learning_rate=spec["learning_rate"],
        per_device_train_batch_size=spec["batch"],
        max_length=spec["max_tokens"],
        completion_only_loss=True,
        bf16=half,
        use_cpu=not half,
        save_strategy="no",
        report_to="none",
        logging_steps=10,
        disable_tqdm=True,
        seed=spec["seed"],
    )


if __name__ == "__main__":
    train(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")))
