"""How many tokens a text takes, where no tokenizer is at hand.

An estimate from UTF-8 bytes: about right for English (4 characters a token) and Chinese (1.3);
too many by up to half for Indic scripts and Thai with tokenizers that know them well. So a text
that fits by this count fits.
"""

from __future__ import annotations

BYTES_PER_TOKEN = 4
"""UTF-8 bytes per token of common tokenizers, on the safe side."""


def estimated_tokens(*texts: str) -> int:
    """Tokens that the texts take together, rounded up; 0 for nothing."""
    return -(-sum(len(text.encode("utf-8", "surrogatepass")) for text in texts) // BYTES_PER_TOKEN)
