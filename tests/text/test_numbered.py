import pytest

from engine.text.numbered import items, numbered


def test_a_list_is_written_one_item_a_line_without_wraps_and_closing_colons():
    shown = ["Fasse den Text\n  zusammen:", "判断下面的评论：", "Why?\t Say  so."]
    assert numbered(shown) == "1. Fasse den Text zusammen\n2. 判断下面的评论\n3. Why? Say so."
    assert numbered(["एक"], first=9) == "9. एक"
    assert numbered([]) == ""


def test_what_is_written_can_be_read():
    shown = ["Nenne drei Flüsse.", "写一首关于秋天的诗", "ما عاصمة كينيا؟", "Rise 3.5 cm by 10:30."]
    assert items(numbered(shown, first=9)) == shown


@pytest.mark.parametrize(
    "line",
    [
        "9. Sing",
        "9) Sing",
        "(9) Sing",
        "9.) Sing",
        "9: Sing",
        "9 - Sing",
        "9.Sing",
        "9\\. Sing",
        "**9.** Sing",
        "**9. Sing**",
        "- 9. Sing",
        "## 9. Sing",
        "9、Sing",
        "９．Sing",
        "（9）Sing",
        "٩. Sing",
        "९) Sing",
        "Task 9: Sing",
        "任务9：Sing",
        "  9. Sing",
        "9.\nSing",
        "```\n9. Sing\n```",
    ],
)
def test_a_number_opens_an_item_whatever_its_dress(line: str):
    assert items(line) == ["Sing"]


@pytest.mark.parametrize("line", ["9.5 kg", "10:30 Uhr", "1984. Ein Roman", "In 9. Klasse", "9-15"])
def test_a_number_that_is_no_mark_opens_nothing(line: str):
    assert items(line) == []
    assert items(f"1. Rechne:\n{line}") == [f"Rechne: {line}"]


def test_text_between_a_blank_line_and_the_next_number_belongs_to_no_item():
    reply = "Gern!\n1. Eins\nnoch eins\n\nDazu ein Hinweis.\n2. Zwei\n\nViel Spaß!\nBis bald!"
    assert items(reply) == ["Eins noch eins", "Zwei"]


def test_bullets_count_only_where_nothing_is_numbered():
    assert items("- 一\n- 二") == ["一", "二"]
    assert items("- vorab\n1. Eins") == ["Eins"]


def test_bold_type_within_an_item_stays():
    assert items("1. Set **two** words, 2**3") == ["Set **two** words, 2**3"]
    assert items("1. **Title:** say it") == ["Title: say it"]


def test_nothing_gives_nothing_and_very_much_is_read_in_no_time():
    assert items("") == items("\n \n") == items("I cannot do that.") == []
    long = "\n".join(f"{n}. {'字' * 200}" for n in range(1, 1000)) + " ." * 100_000
    assert len(items(long)) == 999
    assert items("9" * 1_000_000) == items("*" * 1_000_000) == []
