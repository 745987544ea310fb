from __future__ import annotations

from pathlib import Path

import pytest

from engine import shipped
from engine.core import JobError
from engine.languages.locales import KINDS, SHOWN, Gazetteer, card, gazetteer, told
from engine.languages.table import known


@pytest.mark.parametrize(
    "tag, region, place, said",
    [
        ("en", "US", "United States", ["currency: US Dollar (USD)", "miles", "Sunday"]),
        ("de", "DE", "Germany", ["1.234.500", "9. März 2024", "Celsius", "15:30"]),
        ("de-AT", "AT", "Austria", ["Jänner", "Euro (EUR)"]),
        ("zh-Hans", "CN", "China", ["CNY", "2024年3月9日", "星期一"]),
        ("zh-Hant", "TW", "Taiwan", ["TWD"]),
        ("ar", "EG", "Egypt", ["EGP", "9 مارس 2024", "الجمعة", "يناير"]),
        ("hi", "IN", "India", ["INR", "12,34,500", "सोमवार"]),
        ("th", "TH", "Thailand", ["THB", "9 มีนาคม", "วันจันทร์"]),
        ("sw", "TZ", "Tanzania", ["TZS", "Jumatatu"]),
        ("sw-KE", "KE", "Kenya", ["KES", "9 Machi 2024", "Januari"]),
    ],
)
def test_a_card_says_what_is_usual_in_the_place(
    tag: str, region: str, place: str, said: list[str]
) -> None:
    found = card(tag)
    assert (found.region, found.place) == (region, place)
    whole = "\n".join(found.lines)
    assert [each for each in said if each not in whole] == []


def test_a_language_that_cldr_lacks_has_a_short_card_and_nothing_in_anothers_words() -> None:
    assert card("arz").lines == ("currency: EGP", "units: metric, Celsius")
    assert card("ay").place == "Bolivia"


def test_every_known_language_has_a_card() -> None:
    cards = [card(tag) for tag in known()]
    assert sum(bool(each.region) for each in cards) > 480
    assert sum(len(each.lines) > 5 for each in cards) > 250


def test_a_gazetteer_is_read_and_told(tmp_path: Path) -> None:
    path = tmp_path / "place.yaml"
    path.write_text("notes: [Es gibt Berge.]\nnames:\n  food: [Käsespätzle, Krapfen]\n", "utf-8")
    found = gazetteer(path)
    assert told(found) == ["Es gibt Berge.", "food: Käsespätzle, Krapfen"]
    path.write_text("", "utf-8")
    assert gazetteer(path) == Gazetteer() and told(gazetteer(path)) == []


def test_of_many_names_some_are_shown_and_which_is_drawn_by_the_caller() -> None:
    many = Gazetteer(names={"person": tuple(f"N{n}" for n in range(100))})
    [line] = told(many, [5, 105, 7])
    assert line == "person: N5, N7"
    [line] = told(many)
    assert line.count(",") == SHOWN - 1


@pytest.mark.parametrize(
    "text, said",
    [("names: {dish: [x]}", "kinds: person, place, food"), ("names: [x", "cannot be read"),
     ("names: {food: x}", "names.food: want a list"), ("foods: [x]", "foods: not known here"),
     ("names: {food: [no]}", "names.food.0: want a text"), ("[x]", "the file: want notes"),
     ("names: {dish: [x]}", "names.dish: no kind"), ("names: {food: ['  ']}", "found a blank")],
)  # fmt: skip
def test_a_file_that_is_none_says_what_would_be_one(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "place.yaml"
    path.write_text(text, "utf-8")
    with pytest.raises(JobError, match=said):
        gazetteer(path)
    with pytest.raises(JobError, match="cannot be read"):
        gazetteer(tmp_path / "none.yaml")


def test_the_shipped_gazetteers_can_be_read() -> None:
    files = sorted((shipped.JOBS / "gazetteers").glob("*.yaml"))
    assert files
    for file in files:
        found = gazetteer(file)
        assert found.names and set(found.names) <= set(KINDS) and found.notes
