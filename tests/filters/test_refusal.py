from __future__ import annotations

import pytest

from engine.core import Drop, Message, Record
from engine.filters.refusal import FILTER
from engine.text.phrases import phrase_lists
from tests.conftest import seed

REFUSALS = {
    "en": "I’m sorry, but I can’t help with that request.",
    "de": "Es tut mir leid, aber ich kann Ihnen dabei leider nicht helfen.",
    "fr": "Désolé, je ne peux pas vous aider à faire cela.",
    "es": "Lo siento, pero no puedo ayudarte con esa solicitud.",
    "pt": "Desculpe, mas não posso ajudar com isso.",
    "it": "Mi dispiace, ma non posso aiutarti con questa richiesta.",
    "nl": "Het spijt me, maar ik kan je hier niet mee helpen.",
    "pl": "Przykro mi, ale nie mogę w tym pomóc.",
    "ru": "Извините, но я не могу помочь с этим запросом.",
    "uk": "Вибачте, але я не можу допомогти з цим запитом.",
    "tr": "Üzgünüm, ama bu konuda size yardımcı olamam.",
    "ar": "عذرًا، لا أستطيع مساعدتك في هذا الطلب.",
    "fa": "متأسفم، اما نمی‌توانم در این مورد به شما کمک کنم.",
    "hi": "माफ़ करें, लेकिन मैं इस अनुरोध में आपकी मदद नहीं कर सकता।",
    "bn": "দুঃখিত, আমি এই বিষয়ে সাহায্য করতে পারব না।",
    "id": "Maaf, saya tidak dapat membantu dengan permintaan itu.",
    "vi": "Xin lỗi, tôi không thể giúp bạn việc này.",
    "th": "ขออภัยค่ะ ฉันไม่สามารถช่วยเหลือเรื่องนี้ได้",
    "zh-Hans": "很抱歉，我无法为您提供这方面的帮助。",
    "zh-Hant": "對不起，我無法協助您完成這個要求。",
    "ja": "申し訳ありませんが、そのご依頼にはお応えできません。",
    "ko": "죄송하지만 그 요청은 도와드릴 수 없습니다.",
    "sw": "Samahani, siwezi kukusaidia na ombi hilo.",
    "sv": "Jag är ledsen, men jag kan inte hjälpa dig med det.",
    "eu": "Sentitzen dut, baina ezin dizut eskaera horrekin lagundu.",
    "el": "Λυπάμαι, αλλά δεν μπορώ να βοηθήσω με αυτό το αίτημα.",
    "ka": "ბოდიში, მაგრამ ამ თხოვნაში ვერ დაგეხმარებით.",
    "hy": "Ներեցեք, բայց ես չեմ կարող օգնել այս հարցում։",
    "ur": "معذرت، میں اس درخواست میں مدد نہیں کر سکتا۔",
}
DISCLAIMERS = {
    "en": "That is a lovely question. As an AI language model, I don't have a favourite colour.",
    "de": "Als KI-Sprachmodell habe ich keine Lieblingsfarbe.",
    "fr": "En tant qu'intelligence artificielle, je n'ai pas de couleur préférée.",
    "es": "Como modelo de lenguaje, no tengo un color favorito.",
    "pt": "Como uma IA, não tenho uma cor favorita.",
    "it": "In quanto modello linguistico, non ho un colore preferito.",
    "nl": "Als AI-taalmodel heb ik geen lievelingskleur.",
    "pl": "Jako model językowy nie mam ulubionego koloru.",
    "ru": "Как языковая модель, я не имею любимого цвета.",
    "uk": "Як мовна модель, я не маю улюбленого кольору.",
    "tr": "Ben bir yapay zeka modeliyim ve sevdiğim bir renk yok.",
    "ar": "بصفتي نموذجًا لغويًا، ليس لدي لون مفضل.",
    "fa": "من یک مدل زبانی هستم و رنگ مورد علاقه ندارم.",
    "hi": "एक एआई भाषा मॉडल के रूप में, मेरा कोई पसंदीदा रंग नहीं है; मैं एक एआई हूँ।",
    "bn": "একটি এআই ভাষা মডেল হিসেবে আমার কোনো প্রিয় রঙ নেই।",
    "id": "Sebagai model bahasa AI, saya tidak punya warna kesukaan.",
    "vi": "Là một mô hình ngôn ngữ, tôi không có màu yêu thích.",
    "th": "ในฐานะที่เป็น AI ฉันไม่มีสีโปรด",
    "zh": "作为一个人工智能语言模型，我没有喜欢的颜色。",
    "ja": "私はAIですので、好きな色はありません。",
    "ko": "저는 AI 언어 모델이기 때문에 좋아하는 색이 없습니다.",
    "sw": "Kama akili bandia, sina rangi ninayoipenda.",
    "sv": "Som en AI har jag ingen favoritfärg.",
    "eu": "Hizkuntza-eredu bat naizenez, ez dut gustuko kolorerik.",
    "el": "Ως γλωσσικό μοντέλο, δεν έχω αγαπημένο χρώμα.",
    "ka": "როგორც ენობრივი მოდელი, საყვარელი ფერი არ მაქვს.",
    "hy": "Որպես լեզվական մոդել՝ ես սիրելի գույն չունեմ։",
    "ur": "ایک مصنوعی ذہانت ماڈل کی حیثیت سے میرا کوئی پسندیدہ رنگ نہیں۔",
}


async def _outcome(bind, record, **params):
    step, _ = bind(FILTER, **params)
    [outcome] = await step(record)
    return outcome


@pytest.mark.parametrize("language", REFUSALS)
async def test_a_response_that_opens_with_a_refusal_is_dropped(bind, language):
    drop = await _outcome(bind, seed("?", language, REFUSALS[language] + " " + "x y z " * 50))
    assert isinstance(drop, Drop) and drop.reason == "refusal"


@pytest.mark.parametrize("language", DISCLAIMERS)
async def test_a_response_that_opens_as_a_model_is_dropped(bind, language):
    drop = await _outcome(bind, seed("?", language, DISCLAIMERS[language]))
    assert isinstance(drop, Drop) and drop.reason == "ai_disclaimer", drop


def test_every_language_of_the_lists_is_tried_here():
    tried = {tag.split("-")[0] for tag in REFUSALS}
    assert set(phrase_lists("refusals.yaml")) == tried == set(DISCLAIMERS)
    assert len(tried) >= 12


@pytest.mark.parametrize(
    "instruction, response, language",
    [
        ("Describe your aunt.", "I can't help but smile when I think of aunt Rosa.", "en"),
        ("Write a review.", "I cannot recommend this bakery enough.", "en"),
        ("Decline politely.", "Dear Ms Okoye, I'm sorry, but I can't come on Friday.", "en"),
        ("Begin a story.", "\"I'm sorry, I can't help with that,\" said the clerk, smiling.", "en"),
        ("Translate: Ich kann Ihnen dabei nicht helfen.", "I cannot help with that.", "de"),
        ("Was ist KI?", "Als KI bezeichnet man Programme, die aus Beispielen lernen.", "de"),
        ("Что изучает ИИ?", "Как искусственный интеллект меняет медицину: три примера.", "ru"),
        ("机器学习是什么？", "作为人工智能的一个分支，机器学习从数据中学习规律。", "zh"),
        ("اعتذر عن الحضور.", "عذرا، لا أستطيع الحضور مساء الجمعة.", "ar"),
        ("เขียนข้อความ", "ขอโทษนะ เย็นนี้ฉันไปไม่ได้แล้ว", "th"),
    ],
)
async def test_innocent_openings_pass(bind, instruction, response, language):
    if instruction.startswith("Translate"):
        instruction += ' ("I cannot help with that.")'
    assert isinstance(await _outcome(bind, seed(instruction, language, response)), Record)


async def test_the_same_words_further_down_are_no_refusal(bind):
    story = "The old ferryman shook his head and looked at the grey water for a long time. " * 4
    assert isinstance(await _outcome(bind, seed("A story.", "en", story + REFUSALS["en"])), Record)


async def test_an_english_refusal_is_caught_in_any_language(bind):
    assert (await _outcome(bind, seed("?", "wo", REFUSALS["en"]))).reason == "refusal"


async def test_a_language_without_a_list_passes(bind):
    assert isinstance(await _outcome(bind, seed("?", "wo", "Baal ma, mënuma ko def.")), Record)


async def test_phrases_of_the_users_own_count(bind):
    record = seed("?", "wo", "Baal ma waaye mënuma la ko jox.")
    drop = await _outcome(bind, record, more_refusals=("[mënuma | mënumako] ... jox",))
    assert drop.reason == "refusal" and drop.detail == "mënuma la ko jox"


async def test_every_turn_of_a_dialogue_is_read(bind):
    turns = (
        Message("user", "A riddle?"),
        Message("assistant", "What has hands but no arms?"),
        Message("user", "Tell me."),
        Message("assistant", REFUSALS["en"]),
        Message("user", "Please."),
        Message("assistant", "A clock."),
    )
    assert (await _outcome(bind, Record("d", "en", turns))).reason == "refusal"


async def test_disclaimers_can_be_let_through(bind):
    record = seed("?", "en", DISCLAIMERS["en"])
    assert isinstance(await _outcome(bind, record, disclaimer_within=0), Record)
