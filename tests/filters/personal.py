"""Generated texts with private things of every type and locale, and with what only looks like one.

``cases`` makes numbers that are valid by construction (the schemes' own published examples are
in the tests) and puts them into sentences of the language; ``harmless`` makes what must stay:
UUIDs, versions, dates, ISBNs, hashes, prices, code with example.com. Used by the tests and by
``tests/benchmarks/pii.py``, which states the recall and the false positives.
"""

from __future__ import annotations

import ipaddress
import random
import string
import uuid
from collections.abc import Iterator
from dataclasses import dataclass

import phonenumbers as plan

from engine.text.checksums import iban_digits, luhn_digit
from engine.text.national_ids import SCHEMES, compact

SENTENCES = {
    "en": {
        "email": "Please write to {} before Friday.",
        "ip": "The last login came from {} at night.",
        "phone": "You can call me at {} after six.",
        "card": "The card number is {} and it expires soon.",
        "iban": "Transfer the rent to {} please.",
        "national_id": "My id number is {}, as on the form.",
    },
    "de": {
        "email": "Schreiben Sie bitte an {} bis Freitag.",
        "ip": "Die letzte Anmeldung kam von {} in der Nacht.",
        "phone": "Telefonisch bin ich unter {} erreichbar, Telefon ab sechs.",
        "card": "Die Kartennummer lautet {} und gilt noch.",
        "iban": "Überweise die Miete bitte auf {} diese Woche.",
        "national_id": "Meine Steuer-ID lautet {}, wie im Formular.",
    },
    "zh": {
        "email": "请在周五之前写信到{}联系我。",
        "ip": "上次登录来自{}，是在夜里。",
        "phone": "我的电话是{}，六点以后打。",
        "card": "信用卡卡号是{}，快到期了。",
        "iban": "请把房租转到{}。",
        "national_id": "我的身份证号是{}，表格上有。",
    },
    "ar": {
        "email": "اكتب إلى {} قبل يوم الجمعة.",
        "ip": "جاء آخر دخول من {} ليلا.",
        "phone": "رقم هاتفي \u200f{}\u200f بعد السادسة.",
        "card": "رقم البطاقة {} وتنتهي قريبا.",
        "iban": "حول الإيجار إلى {} من فضلك.",
        "national_id": "رقم الهوية {} كما في الاستمارة.",
    },
    "hi": {
        "email": "शुक्रवार से पहले {} पर लिखें।",
        "ip": "पिछला लॉगिन {} से रात में हुआ।",
        "phone": "मेरा मोबाइल नंबर {} है।",
        "card": "कार्ड संख्या {} है और जल्द समाप्त होगी।",
        "iban": "किराया {} में भेज दीजिए।",
        "national_id": "मेरा आधार या पहचान पत्र {} है।",
    },
    "th": {
        "email": "กรุณาเขียนถึง{} ก่อนวันศุกร์",
        "ip": "การเข้าสู่ระบบล่าสุดมาจาก {} ตอนกลางคืน",
        "phone": "โทรหาฉันที่ {} หลังหกโมง",
        "card": "หมายเลขบัตรคือ {} ใกล้หมดอายุ",
        "iban": "โปรดโอนค่าเช่าไปที่ {} ด้วย",
        "national_id": "เลขประจำตัวประชาชน {} ตามแบบฟอร์ม",
    },
    "sw": {
        "email": "Tafadhali andika kwa {} kabla ya Ijumaa.",
        "ip": "Kuingia kwa mwisho kulitoka {} usiku.",
        "phone": "Namba yangu ya simu ni {} baada ya saa kumi na mbili.",
        "card": "Namba ya kadi ni {} na itaisha karibuni.",
        "iban": "Tuma kodi kwa {} tafadhali.",
        "national_id": "Namba ya kitambulisho ni {}, kama kwenye fomu.",
    },
}
REGIONS = {
    "en": ("US", "GB", "IN", "AU"),
    "de": ("DE", "AT", "CH"),
    "zh": ("CN", "TW"),
    "ar": ("EG", "SA", "AE", "MA"),
    "hi": ("IN",),
    "th": ("TH",),
    "sw": ("KE", "TZ"),
}
ZEROS = {"ar": "٠", "hi": "०", "th": "๐", "zh": "０"}
"""The zero of the digits that half of the numbers in these languages are written in."""
NAMES = ("jane.doe", "m_okoye", "li-wei", "r.albers+news", "t0m", "O'Brien", "somchai99", "juma")
HOSTS = ("gmail.com", "mail.co.th", "uni-bonn.de", "posta.co.tz", "firma.com.tr", "qq.com", "a.io")
NATIONAL_HOSTS = {"de": "müller-bau.de", "ar": "بريد.السعودية", "hi": "डाक.भारत", "zh": "例子.中国"}
IBANS = {"DE": "D" * 18, "GB": "LLLL" + "D" * 14, "FR": "D" * 10 + "L" * 11 + "DD", "SA": "D" * 20}
IBANS |= {"AE": "D" * 19, "NL": "LLLL" + "D" * 10, "NO": "D" * 11, "PL": "D" * 24, "TR": "D" * 22}


@dataclass(frozen=True)
class Case:
    language: str
    kind: str
    locale: str
    written: str
    text: str


def cases(rng: random.Random, each: int) -> Iterator[Case]:
    """``each`` cases of every type in every language and country."""
    for language, sentences in SENTENCES.items():
        for kind, sentence in sentences.items():
            for locale, written in _values(kind, language, rng, each):
                yield Case(language, kind, locale, written, sentence.format(written))


def _values(kind: str, language: str, rng: random.Random, each: int) -> Iterator[tuple[str, str]]:
    for number in range(each):
        if kind == "email":
            national = NATIONAL_HOSTS.get(language)
            host = national if national and number % 5 == 4 else rng.choice(HOSTS)
            yield "", f"{rng.choice(NAMES)}@{host}"
        elif kind == "ip":
            yield ("v6", ipv6(rng)) if number % 4 == 3 else ("v4", ipv4(rng))
        elif kind == "phone":
            for region in REGIONS[language]:
                yield region, _native(phone(region, rng), language, rng)
        elif kind == "card":
            yield "", _native(card(rng), language, rng)
        elif kind == "iban":
            country = rng.choice(sorted(IBANS))
            yield country, iban(country, rng)
        else:
            scheme = SCHEMES[number % len(SCHEMES)]
            yield scheme.country, _native(identity(number % len(SCHEMES), rng), language, rng)


def ipv4(rng: random.Random) -> str:
    while True:
        address = ipaddress.IPv4Address(rng.getrandbits(32))
        if address.is_global and not address.is_multicast:
            return str(address)


def ipv6(rng: random.Random) -> str:
    return str(ipaddress.IPv6Address((0x2A00 << 112) | rng.getrandbits(100)))


def phone(region: str, rng: random.Random) -> str:
    """A number that can be dialled there, written in one of four ways."""
    kind = rng.choice((plan.PhoneNumberType.MOBILE, plan.PhoneNumberType.FIXED_LINE))
    example = plan.example_number_for_type(region, kind) or plan.example_number(region)
    digits = str(example.national_number)
    while True:
        tail = "".join(rng.choices(string.digits, k=5))
        number = plan.parse(f"+{example.country_code}{digits[:-5]}{tail}", None)
        if plan.is_valid_number(number) and "55501" not in digits[:-5] + tail:
            break
    formats = plan.PhoneNumberFormat
    style = rng.choice((formats.INTERNATIONAL, formats.E164, formats.NATIONAL, None))
    if style is None:
        return "".join(filter(str.isdigit, plan.format_number(number, formats.NATIONAL)))
    return plan.format_number(number, style)


def card(rng: random.Random) -> str:
    prefix, length = rng.choice(
        (("4539", 16), ("5425", 16), ("2340", 16), ("3714", 15), ("62", 16))
    )
    digits = prefix + "".join(rng.choices(string.digits, k=length - 1 - len(prefix)))
    digits += luhn_digit(digits)
    if length == 15:
        return rng.choice((digits, f"{digits[:4]} {digits[4:10]} {digits[10:]}"))
    return rng.choice("|- ").join(digits[at : at + 4] for at in range(0, 16, 4)).replace("|", "")


def iban(country: str, rng: random.Random) -> str:
    signs = {"D": string.digits, "L": string.ascii_uppercase}
    account = "".join(rng.choice(signs[kind]) for kind in IBANS[country])
    whole = country + iban_digits(country, account) + account
    return rng.choice((whole, " ".join(whole[at : at + 4] for at in range(0, len(whole), 4))))


SHAPES = (
    "110105%D###?", "LLLLLL##H01L###L", "LLLL%dHLLLLL##", "###-##-####", "### ## ####",
    "###.###.###-##", "#########-##", "1 ## 07 ## ### ### ##", "1-####-#####-##-#",
    "1############", "%d-1######",
    "784-19##-#######-#", "###-###-### ##", "%D-#####-#####-##", "%D############", "AA ## ## ## A",
    "########L", "#### #### ####", "2%d01#####", "%d####08#", "## ### ### ###", "###########",
    "###########", "1#########", "###-######-#", "%d-####", "#########",
)  # fmt: skip
"""How each scheme is written: # a digit, L a letter, ? one or X, %d a birthday, %D a long one."""


def identity(number: int, rng: random.Random) -> str:
    """A number of the scheme, drawn until it is a sound one."""
    scheme, shape = SCHEMES[number], SHAPES[number]
    while True:
        day = f"{rng.randint(50, 99)}{rng.randint(1, 12):02d}{rng.randint(1, 28):02d}"
        text = shape.replace("%D", f"19{day}").replace("%d", day)
        text = "".join(_sign(sign, rng) for sign in text)
        if scheme.pattern.fullmatch(text) and scheme.sound(compact(text)):
            return text


def _sign(sign: str, rng: random.Random) -> str:
    if sign == "#":
        return rng.choice(string.digits)
    if sign == "?":
        return rng.choice("0123456789X")
    return rng.choice(string.ascii_uppercase) if sign == "L" else sign


def _native(written: str, language: str, rng: random.Random) -> str:
    if language not in ZEROS or rng.random() < 0.5:
        return written
    zero = ord(ZEROS[language])
    return written.translate({ord("0") + n: chr(zero + n) for n in range(10)})


def harmless(rng: random.Random) -> dict[str, str]:
    """One of each thing that only looks private."""
    digits = "".join(rng.choices(string.digits, k=9))
    isbn = f"978-{digits[0]}-{digits[1:5]}-{digits[5:9]}-"
    check = -sum(int(d) * (3 if at % 2 else 1) for at, d in enumerate(f"978{digits}")) % 10
    day = f"{rng.randint(1, 28):02d}.{rng.randint(1, 12):02d}.{rng.randint(1900, 2030)}"
    part = rng.randrange
    return {
        "uuid": f"The trace id is {uuid.UUID(int=rng.getrandbits(128), version=4)} in the log.",
        "version": f"Upgrade to version {part(20)}.{part(200)}.{part(99)}.{part(250)} today.",
        "small version": f"We still run nginx {part(9)}.{part(20)}.{part(9)}.{part(30)} there.",
        "date": f"On {day} at {part(24):02d}:{part(60):02d} the shop had opened.",
        "iso date": f"From {part(1900, 2030)}-{part(1, 13):02d}-{part(1, 29):02d} to 2024-02-28.",
        "isbn": f"The book has ISBN {isbn}{check} and costs little.",
        "bare isbn": f"Look for 978{digits}{check} in the catalogue.",
        "hash": f"The commit {rng.getrandbits(160):040x} fixed it.",
        "timestamp": f"created_at = {part(10**9, 2 * 10**9)}  # seconds",
        "milliseconds": f"created_at = {part(10**12, 2 * 10**12)}",
        "order": f"Your order {part(10**9, 10**10)} has been shipped.",
        "long order": f"Your parcel {part(10**11, 10**12)} is on its way.",
        "money": f"It sold for ${part(1, 999)},{part(1000):03d},{part(1000):03d}.00 last year.",
        "decimal": f"The result is {rng.random():.15f}, or {rng.uniform(1, 1e6):.9f}.",
        "private ip": f"The router 192.168.{part(256)}.{part(256)} is behind 10.0.0.{part(256)}.",
        "code": 'send(to="user@example.com", host="127.0.0.1", tel="+1 202-555-0143")',
        "package": f"install torch=={part(9)}.{part(30)}.{part(9)} react@{part(19)}.{part(9)}.0",
        "arithmetic": f"{part(100, 999)} - {part(100, 999)} - {part(1000, 9999)} = {part(999)}",
        "years": f"The wars of {part(1600, 1700)}-{part(1700, 1800)} and {part(1800, 1900)}.",
        "numbers": " ".join(str(part(10, 99)) for _ in range(12)),
        "coordinates": f"It lies at {rng.uniform(-90, 90):.6f}, {rng.uniform(-180, 180):.6f}.",
        "matrix": "y = x@w.sum() + b@c.T; logo@2x.png; git@github.com:org/repo.git",
        "population": f"{part(1, 99)} {part(1000):03d} {part(1000):03d} people live there.",
        "page": f"See https://news.site/{part(10**9, 10**10)}/a-{part(10**12, 10**13)}.html",
        "tweet": f"The post {part(10**18, 2 * 10**18)} was deleted.",
        "scale": f"The sets were {part(10)}-{part(10)}, {part(10)}-{part(10)}, 6-{part(10)}.",
        "bible": f"Psalm {part(150)}:{part(1, 30)}-{part(30, 60)}; {part(150)}:{part(20)}.",
        "mac": ":".join(f"{part(256):02x}" for _ in range(6)),
        "cpp": "std::vector<int> v; dead::beef(2001, 10); a::b::c();",
    }
