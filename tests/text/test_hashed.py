import numpy as np
import pytest

from engine.text.hashed import DIMENSION, vector


@pytest.mark.parametrize(
    "text", ["a", "Grüße aus Kiel", "语", "港口管理员记录每艘渔船。", "नमस्ते दुनिया", "🙂", "\ud800"]
)
def test_a_text_is_a_vector_of_length_one(text: str) -> None:
    made = vector(text)
    assert made.shape == (DIMENSION,) and made.dtype == np.float32
    assert np.linalg.norm(made) == pytest.approx(1)


@pytest.mark.parametrize("text", ["", " \n\t"])
def test_a_blank_text_is_nothing(text: str) -> None:
    assert not vector(text).any()


@pytest.mark.parametrize(
    ("text", "near", "far"),
    [
        (
            "The harbour master keeps a log.",
            "The harbour master kept logs.",
            "Enzymes digest food.",
        ),
        ("港口管理员记录每艘渔船。", "港口的管理员会记录每一艘渔船", "胃里的酶把蛋白质分解成肽。"),
        (
            "बंदरगाह का रजिस्टर रोज़ लिखा जाता है",
            "बंदरगाह का रजिस्टर हर दिन लिखा जाता है",
            "पेट में भोजन पचता है",
        ),
        ("ميناء الصيد يفتح فجرا", "ميناء الصيد يفتح عند الفجر", "تهضم المعدة البروتين"),
    ],
)
def test_texts_written_alike_are_near_and_others_are_not(text: str, near: str, far: str) -> None:
    one = vector(text)
    assert one @ vector(near) > 0.35
    assert one @ vector(far) < 0.25
    assert one @ vector(near) > one @ vector(far) + 0.2


def test_case_width_and_white_space_do_not_matter() -> None:
    assert (vector("ＡＢＣ  def\n") == vector("abc def")).all()


def test_repetition_counts_little() -> None:
    assert vector("tea and milk. " * 50) @ vector("tea and milk.") > 0.9


def test_a_very_long_text_is_read() -> None:
    assert np.linalg.norm(vector("語 word " * 50_000)) == pytest.approx(1)


def test_the_numbers_are_the_same_on_every_machine() -> None:
    made = vector("tea tea tea")
    assert {at: round(float(made[at]), 6) for at in (2, 22, 80)} == {
        2: 0.302161,
        22: -0.302161,
        80: -0.302161,
    }
