from __future__ import annotations

import pytest

from engine.text.grounding import Claim, Looked, Ruling, cited, grounded, place, ruled, told


def claims(*said: tuple[str, str]) -> list[Claim]:
    return [Claim(claim=claim, quote=quote) for claim, quote in said]


@pytest.mark.parametrize(
    ("claim", "quote", "language", "wrong"),
    [
        ("It costs 1,200.", "The fee is 1200 shillings.", "en", []),
        ("Das kostet 1.200 Euro.", "Die Gebühr beträgt 1200 Euro.", "de", []),
        ("12 दिन।", "१२ दिन में उत्तर मिलता है।", "hi", []),
        ("خلال 5 أيام", "في مدة ٥ أيام", "ar", []),
        ("ภายใน 3 วัน", "ภายใน ๓ วัน", "th", []),
        ("要付3元。", "要付30元。", "zh", ["3"]),
        ("It takes 4 days, 2 at most.", "It takes 2 days.", "en", ["4"]),
        ("It takes four days.", "It takes 4 days.", "en", []),
    ],
)
def test_a_number_of_a_claim_has_to_be_in_its_words_as_a_value(claim, quote, language, wrong):
    places, said = grounded(claims((claim, quote)), f"So: {quote}", language)
    assert places == [(4, 4 + len(quote))]
    assert [each.split()[5].rstrip(":") for each in said] == wrong


def test_words_that_are_not_in_the_document_are_told_and_the_others_found():
    document = "Ибраһим  келді.\nОл қайтты."
    places, wrong = grounded(
        claims(("Келді.", "Ибраһим келді."), ("Кетті.", "Ол кетті."), ("Қайтты.", "Ол қайтты.")),
        document,
        "kk",
    )
    assert [document[start:end] for start, end in places] == ["Ибраһим  келді.", "Ол қайтты."]
    assert len(wrong) == 1 and "Ол кетті." in wrong[0]


@pytest.mark.parametrize("quote", ["", " ", "“”"])
def test_no_words_are_nowhere(quote: str):
    assert place(quote, "Text") is None and place("Text", "") is None


def test_a_very_long_document_is_searched():
    assert place("ปลายทาง", "ต้นทาง " * 200_000 + "ปลายทาง") == (1_400_000, 1_400_007)


def test_what_is_cited_is_the_documents_own_and_counts_from_where_it_begins():
    [said] = cited(claims(("It is so.", "a b")), [(2, 6)], "x a\n\nb y", {"span": [10, 99]})
    assert said == {"claim": "It is so.", "quote": "a\n\nb", "span": [12, 16]}


@pytest.mark.parametrize(
    ("supported", "answers", "slug"),
    [
        ((True, True), True, ""),
        ((True, False), True, "ungrounded"),
        ((True,), True, "ungrounded"),
        ((True, True, True), True, "ungrounded"),
        ((), True, "ungrounded"),
        ((True, True), False, "off_topic"),
    ],
)
def test_a_ruling_lets_stand_only_what_it_speaks_of(supported, answers, slug):
    looked = [Looked(reason="why", supported=each) for each in supported]
    fault, wrong = ruled(
        Ruling(claims=looked, answers_instruction=answers), claims(("a", "b"), ("c", "d"))
    )
    assert fault == slug and bool(wrong) == bool(slug)


@pytest.mark.parametrize(
    ("said", "lines", "text"),
    [
        (("One.", "Two."), False, "One. Two."),
        (("一。", "二。"), False, "一。二。"),
        (("一。", "二。"), True, "一。\n二。"),
        (("หนึ่ง", "สอง"), False, "หนึ่ง สอง"),
        (("A\n b", "c"), True, "A b\nc"),
        ((), False, ""),
    ],
)
def test_claims_are_joined_as_the_script_has_it(said, lines, text):
    assert told(claims(*((each, "") for each in said)), lines=lines) == text
