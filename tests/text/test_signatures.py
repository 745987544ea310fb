from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.text.shingles import jaccard, shingles
from engine.text.signatures import Signer, band_keys

TEXTS = [
    "write a short letter to an old friend",
    "اكتب رسالة قصيرة إلى صديق قديم",
    "एक पुराने मित्र को छोटा पत्र लिखो",
    "จงเขียนจดหมายสั้นๆถึงเพื่อนเก่า",
    "请写一封短信给老朋友abcdefg再见",
    "x",
    "花",
    "ab花",
    "\ud800",
    "\0\0\0\0\0\0",
]


def test_a_signature_does_not_depend_on_its_neighbours():
    signer = Signer(5, 64, seed=9)
    together = signer.sign(TEXTS)
    assert (together == np.concatenate([signer.sign([text]) for text in TEXTS])).all()
    assert signer.sign([]).shape == (0, 64)


@settings(max_examples=60)
@given(st.lists(st.text("ab 花の한", min_size=1, max_size=12), min_size=2, max_size=2))
def test_texts_agree_everywhere_just_where_their_shingles_are_the_same(pair):
    one, two = Signer(3, 32, seed=4).sign(pair)
    same = shingles(pair[0], 3) == shingles(pair[1], 3)
    assert same == bool((one == two).all())


@pytest.mark.parametrize("text", ["the quick brown fox jumps over it", "春天的花开了夏天的雨停了"])
def test_the_share_of_equal_hashes_is_the_jaccard_similarity(text):
    other = text[: len(text) * 2 // 3] + "zzz零一二"
    signed = Signer(5, 4096, seed=2).sign([text, other])
    true = jaccard(shingles(text), shingles(other))
    assert 0.2 < true < 0.8
    assert (signed[0] == signed[1]).mean() == pytest.approx(true, abs=0.035)


def test_another_seed_is_another_signature():
    one, two = (Signer(5, 64, seed).sign(TEXTS) for seed in (1, 2))
    assert (one != two).all(axis=1).all()


def test_a_band_has_the_same_key_just_where_all_its_rows_agree():
    signed = np.array([[1, 2, 3, 4, 9], [1, 2, 3, 5, 9], [2, 1, 3, 4, 9]], np.uint32)
    keys = band_keys(signed, 2, 2)
    assert keys.shape == (3, 2)
    assert keys[0, 0] == keys[1, 0] != keys[2, 0]
    assert keys[0, 1] == keys[2, 1] != keys[1, 1]
