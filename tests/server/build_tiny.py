"""Builds a model that vLLM serves on a CPU in a second: ``python build_tiny.py FOLDER TEXTS``.

Run by the interpreter of the environment that has vLLM, with its torch and transformers. The
weights are random and the same every time; the tokenizer is trained on texts of this repository.
A LoRA adapter for it lies beside it, in ``FOLDER-lora``.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import torch
from safetensors.torch import save_file
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

VOCABULARY = 4096
END, START = "<|end|>", "<|start|>"
TEMPLATE = (
    "{% for m in messages %}<|start|>{{ m['role'] }}\n{{ m['content'] }}<|end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|start|>assistant\n{% endif %}"
)
RANK = 8


def tokenizer(texts: list[Path]) -> PreTrainedTokenizerFast:
    made = Tokenizer(models.BPE())
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY,
        special_tokens=[END, START],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    made.train([str(path) for path in texts], trainer)
    fast = PreTrainedTokenizerFast(
        tokenizer_object=made, eos_token=END, pad_token=END, bos_token=START
    )
    fast.chat_template = TEMPLATE
    return fast


def config() -> LlamaConfig:
    return LlamaConfig(
        vocab_size=VOCABULARY,
        hidden_size=64,
        intermediate_size=128,
        num_hidden_layers=2,
        num_attention_heads=2,
        num_key_value_heads=1,
        head_dim=32,  # vLLM's CPU attention knows no smaller one and dies at the first request
        max_position_embeddings=32768,
        bos_token_id=1,
        eos_token_id=0,
        pad_token_id=0,
        tie_word_embeddings=True,
    )


def adapter(folder: Path, shape: LlamaConfig) -> None:
    """A LoRA adapter with random weights."""
    weights = {}
    for layer in range(shape.num_hidden_layers):
        for name, out in (("q_proj", 64), ("v_proj", 32)):
            place = f"base_model.model.model.layers.{layer}.self_attn.{name}"
            weights[f"{place}.lora_A.weight"] = torch.randn(RANK, 64)
            weights[f"{place}.lora_B.weight"] = torch.randn(out, RANK)
    folder.mkdir(parents=True, exist_ok=True)
    save_file(weights, folder / "adapter_model.safetensors")
    about = {
        "peft_type": "LORA", "task_type": "CAUSAL_LM", "r": RANK, "lora_alpha": 16,
        "target_modules": ["q_proj", "v_proj"], "bias": "none", "lora_dropout": 0.0,
        "base_model_name_or_path": "tiny",
    }  # fmt: skip
    (folder / "adapter_config.json").write_text(json.dumps(about))


def main(folder: Path, texts: list[Path]) -> None:
    torch.manual_seed(7)
    shape = config()
    tokenizer(texts).save_pretrained(folder)
    LlamaForCausalLM(shape).to(torch.bfloat16).save_pretrained(folder)
    adapter(folder.with_name(f"{folder.name}-lora"), shape)


if __name__ == "__main__":
    main(Path(sys.argv[1]), [Path(name) for name in sys.argv[2:]])
