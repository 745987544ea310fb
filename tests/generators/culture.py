"""A document of an office in each of seven languages and in Kazakh, for the cultural methods."""

from __future__ import annotations

from engine.core import Record
from tests.conftest import ROOT

KAZAKH = (ROOT / "engine/jobs/culture/kk-kitapkhana.md").read_text(encoding="utf-8")
OFFICES = {
    "en": (
        "The village library is open on Tuesdays from 9 to 12. A reader may borrow 5 books for 3 "
        "weeks. Whoever brings a book back late pays 20 cents a day, and children pay nothing.",
        "How long may I keep a book from the village library?",
        "You may keep 5 books for 3 weeks.",
    ),
    "de": (
        "Die Bücherei im Dorf ist dienstags von 9 bis 12 Uhr geöffnet. Man darf 5 Bücher für 3 "
        "Wochen ausleihen. Wer ein Buch zu spät zurückbringt, zahlt 20 Cent am Tag.",
        "Wie lange darf ich ein Buch aus der Dorfbücherei behalten?",
        "Sie dürfen die Bücher 3 Wochen behalten, und zwar höchstens 5.",
    ),
    "zh-Hans": (
        "村图书馆每周二上午9点到12点开放。读者一次可以借5本书，期限为3个星期。"
        "还书晚了每天要付2角钱，儿童不用付钱。丢失的书要照价赔偿。",
        "村图书馆的书可以借多长时间？",
        "一次可以借3个星期，最多5本。",
    ),
    "ar": (
        "تفتح مكتبة القرية يوم الثلاثاء من الساعة ٩ إلى الساعة ١٢. يمكن للقارئ أن يستعير ٥ كتب "
        "مدة ٣ أسابيع. ومن يتأخر في إعادة الكتاب يدفع قرشين عن كل يوم، ولا يدفع الأطفال شيئًا.",
        "ما المدة التي أستطيع فيها الاحتفاظ بكتاب من مكتبة القرية؟",
        "تستطيع الاحتفاظ بالكتب 3 أسابيع، على ألا تزيد على 5 كتب.",
    ),
    "hi": (
        "गाँव का पुस्तकालय मंगलवार को ९ बजे से १२ बजे तक खुला रहता है। पाठक ५ किताबें ३ सप्ताह के लिए ले सकता है। "
        "जो किताब देर से लौटाता है वह रोज़ २ रुपये देता है, और बच्चों से कुछ नहीं लिया जाता।",
        "गाँव के पुस्तकालय की किताब मैं कितने दिन रख सकता हूँ?",
        "आप 5 किताबें 3 सप्ताह तक अपने पास रख सकते हैं।",
    ),
    "th": (
        "ห้องสมุดหมู่บ้านเปิดวันอังคารเวลา 9 ถึง 12 นาฬิกา ผู้อ่านยืมหนังสือได้ 5 เล่มเป็นเวลา 3 สัปดาห์ "
        "ผู้ที่คืนหนังสือช้าต้องจ่ายวันละ 2 บาท ส่วนเด็กไม่ต้องจ่าย",
        "ฉันเก็บหนังสือจากห้องสมุดหมู่บ้านไว้ได้นานเท่าไร",
        "เก็บไว้ได้ 3 สัปดาห์ และยืมได้ไม่เกิน 5 เล่ม",
    ),
    "sw": (
        "Maktaba ya kijiji hufunguliwa Jumanne kuanzia saa 3 hadi saa 6. Msomaji anaweza kuazima "
        "vitabu 5 kwa wiki 3. Anayechelewa kurudisha kitabu hulipa shilingi 20 kwa siku.",
        "Ninaweza kukaa na kitabu cha maktaba ya kijiji kwa muda gani?",
        "Unaweza kukaa na vitabu 5 kwa muda wa wiki 3.",
    ),
}  # fmt: skip
"""Language -> a document, something to ask about it, and an answer with two of its numbers."""


def office(language: str = "kk", text: str = "", id: str = "doc", **facts: object) -> Record:
    document = text or (KAZAKH if language == "kk" else OFFICES[language][0])
    return Record(id, language, (), {"document": document, "title": "Library", **facts})
