import pytest

from engine.text.labelled import labelled

LABELS = ("EVOLVE_PLAN", "EVOLVE_FINAL")


@pytest.mark.parametrize(
    "line",
    [
        "EVOLVE_FINAL",
        "EVOLVE_FINAL:",
        "**EVOLVE_FINAL**",
        "**EVOLVE_FINAL:**",
        "### 4. Evolve final",
        "[evolve\\_final]",
        "  2) `EVOLVE_FINAL`：",
        "> - EVOLVE_FINAL",
    ],
)
def test_a_label_is_read_in_whatever_dress(line: str) -> None:
    for text in ("Nenne drei Flüsse.", "说出三条河流。"):
        assert labelled(f"EVOLVE_PLAN\nPlan.\n{line}\n{text}", LABELS) == {
            "EVOLVE_PLAN": "Plan.",
            "EVOLVE_FINAL": text,
        }


def test_text_may_stand_on_the_labels_line_behind_a_colon() -> None:
    assert labelled("EVOLVE_FINAL: 三条河流", LABELS) == {"EVOLVE_FINAL": "三条河流"}


@pytest.mark.parametrize(
    "text", ["", "What EVOLVE_FINAL says.", "EVOLVE_FINAL comes last", "EVOLVE_FINALLY", "终"]
)
def test_a_sentence_that_mentions_a_label_is_none(text: str) -> None:
    assert labelled(text, LABELS) == {}


def test_the_last_of_several_counts_and_goes_to_the_end() -> None:
    reply = "EVOLVE_FINAL\none\nEVOLVE_PLAN\ntwo\nEVOLVE_FINAL\nthree\nfour"
    assert labelled(reply, LABELS) == {"EVOLVE_PLAN": "two", "EVOLVE_FINAL": "three\nfour"}


def test_very_long_replies_take_no_time() -> None:
    for filler in (
        "-" * 200_000,
        "**[" * 60_000,
        "河" * 200_000,
        "1. " * 60_000,
        "EVOLVE_ " * 30_000,
    ):
        assert labelled(f"{filler}\nEVOLVE_FINAL\n终", LABELS) == {"EVOLVE_FINAL": "终"}
