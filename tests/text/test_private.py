from __future__ import annotations

import random
from collections import Counter
from itertools import pairwise

import pytest

from engine.text.private import KINDS, find
from tests.filters.personal import SENTENCES, cases, harmless


def found(text: str, language: str = "en", kinds=KINDS) -> list[tuple[str, str]]:
    return [(p.kind, text[p.start : p.end]) for p in find(text, language, kinds)]


def test_every_type_is_found_in_every_language_and_country():
    asked, hit = Counter(), Counter()
    for case in cases(random.Random(1), 54):
        places = find(case.text, case.language)
        for key in ((case.kind, case.language), (case.kind, "", case.locale)):
            asked[key] += 1
            hit[key] += any(case.written in case.text[p.start : p.end] for p in places)
    assert {kind for kind, *_ in asked} == set(KINDS)
    assert set(SENTENCES) == {"en", "de", "zh", "ar", "hi", "th", "sw"}
    assert not {key: hit[key] / n for key, n in asked.items() if hit[key] < 0.98 * n}


@pytest.mark.parametrize("language", SENTENCES)
def test_what_only_looks_private_is_left_alone(language):
    rng = random.Random(2)
    for _ in range(60):
        for name, text in harmless(rng).items():
            assert not found(text, language), f"{name}: {text}"


@pytest.mark.parametrize(
    "text",
    [
        "write to user@example.com, a@b.example.org or me@localhost.test",
        "4111 1111 1111 1111 and 378282246310005 are test cards",
        "the hosts 192.0.2.7, 198.51.100.1, 10.1.2.3, 127.0.0.1, 8.8.8.8 and 224.0.0.251",
        "2001:db8::1, fe80::1, ::1 and std::string",
        "call +1 202-555-0123 or tel. 555-0199",
        "phone +44 7700 900123, Tel. 030 23125 123",
        "postgres://app:pass.word@db.corp.io/main",
        "IBAN DE96 0000 0000 0000 0058 07",
        "IBAN DE88 3704 0044 0532 0130 00",
        "version 93.184.216.34, v93.184.216.34, 93.184.216.34.5, Abschnitt 93.184.216.34",
        "版本93.184.216.34",
        "card 4539 1488 0343 6468",
        "2³ = 8; x² + y² = 12345678901",
    ],
)
def test_what_is_kept_free_or_is_unsound_is_nobodys(text):
    assert not found(text)


@pytest.mark.parametrize(
    "text, language, kind, written",
    [
        ("请发邮件到zhang@qq.com谢谢", "zh", "email", "zhang@qq.com"),
        ("邮箱：张三＠例子.中国。", "zh", None, None),
        ("Schreib an jörg@müller-bau.de.", "de", "email", "jörg@müller-bau.de"),
        ("راسل علي@بريد.السعودية الآن", "ar", "email", "علي@بريد.السعودية"),
        ("mailto:jo@corp.io?subject=x", "en", "email", "jo@corp.io"),
        ("<jo@corp.io>;'al@corp.io'", "en", "email", "jo@corp.io"),
        ("هاتف \u200e+٩٦٦ ٥٠ ١٢٣ ٤٥٦٧\u200e ليلا", "ar", "phone", "+٩٦٦ ٥٠ ١٢٣ ٤٥٦٧"),
        ("फ़ोन ९८७६५४३२१० पर", "hi", "phone", "९८७६५४३२१०"),
        ("โทร 081-234-5678 ครับ", "th", "phone", "081-234-5678"),
        ("Simu: 0712345678.", "sw", "phone", "0712345678"),
        ("telefone (11) 91234-5678", "pt-BR", "phone", "(11) 91234-5678"),
        ("Tel. 030/123 45 67, ab 9", "de", "phone", "030/123 45 67"),
        ("+44 (0)20 7946 1958 2023", "en", "phone", "+44 (0)20 7946 1958"),
        ("http://93.184.216.34:8080/x", "en", "ip", "93.184.216.34"),
        ("IP地址93.184.216.34。", "zh", "ip", "93.184.216.34"),
        ("at 2606:4700:4700::1111.", "en", "ip", "2606:4700:4700::1111"),
        ("IBAN:GB82WEST12345698765432,", "en", "iban", "GB82WEST12345698765432"),
        ("身份证１１０１０５１９４９１２３１００２Ｘ", "zh", None, None),
        (
            "身份证１１０１０５１９４９１２３１００２X。",
            "zh",
            "national_id",
            "１１０１０５１９４９１２３１００２X",
        ),
        ("Mi DNI es 12345678Z", "es", "national_id", "12345678Z"),
        ("الهوية ١٠٥٨٥٢٩٩٤٠", "ar", "national_id", "١٠٥٨٥٢٩٩٤٠"),
    ],
)
def test_it_is_found_as_it_is_written(text, language, kind, written):
    assert ((kind, written) in found(text, language)) == (kind is not None)


def test_a_number_without_a_word_needs_its_countrys_groups():
    assert found("Nairobi 0712 345678", "sw") and found("415-555-2671", "en")
    for text in ("9876543210", "214 - 616 - 9315", "12 34 56 78 90", "1234-5678"):
        assert not found(text, "en") and not found(text, "hi")


def test_an_announced_number_may_be_loose():
    assert found("call me: 4155552671") == [("phone", "4155552671")]
    assert not found("order no. 4155552671")


def test_only_the_kinds_that_are_wanted_are_looked_for():
    text = "jo@corp.io, 93.184.216.34, +4930123456"
    assert [kind for kind, _ in found(text, kinds=("ip",))] == ["ip"]
    assert [kind for kind, _ in found(text)] == ["email", "ip", "phone"]


def test_one_number_has_one_key_however_written():
    texts = ("+49 30 1234567", "Tel. 030 1234567", "Tel. ٠٣٠ ١٢٣٤٥٦٧", "0049 30 123 45 67")
    assert {p.key for text in texts for p in find(text, "de")} == {"+49301234567"}


@pytest.mark.parametrize("text", ["", "\x00", "\ud83d", "\u202e\u200f", "@", "+", "@@@...", "::::"])
def test_odd_texts_hold_nothing(text):
    assert find(text, "ar") == []


@pytest.mark.parametrize("language", ["", "xx", "zh-Hant-TW", "tlh", "und"])
def test_a_language_that_nobody_knows_finds_what_needs_none(language):
    kinds = [kind for kind, _ in found("jo@corp.io +49 30 1234567 0301234567", language)]
    assert kinds == ["email", "phone"]


def test_places_do_not_overlap_and_come_in_order():
    text = " ".join(case.text for case in cases(random.Random(3), 8))
    places = find(text, "en")
    assert all(a.end <= b.start for a, b in pairwise(places))
    assert len(places) > 100
