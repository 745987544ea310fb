"""Models that learn between rounds from what the job has kept: LoRA adapters, by the extra train.

Nothing here is imported unless a job has the key ``train``; what needs torch runs in a process of
its own (``lora``), so that the run itself never holds a model.
"""
