# ruff: noqa: E501 - sentences in other scripts are wide, and read best whole

from __future__ import annotations

import pytest

from engine.core import Drop, Record
from engine.filters.format import FILTER
from tests.conftest import seed
from tests.filters.samples import GOOD

BAD = [
    ("fences", "unclosed_fence", "Here you go:\n```python\nprint(1)"),
    ("fences", "unclosed_fence", "~~~\nprint(1)\n\nThat is all."),
    ("placeholders", "placeholder", "Dear Sir,\nthank you.\n[Your Name]"),
    ("placeholders", "placeholder", "Best wishes, [Name]"),
    ("placeholders", "placeholder", "Hello {{first_name}}, welcome."),
    ("placeholders", "placeholder", "The price is <insert price here> a piece."),
    ("placeholders", "placeholder", "Lorem ipsum dolor sit amet."),
    ("placeholders", "placeholder", "Intro.\nTODO: finish this."),
    ("placeholders", "placeholder", "Mit freundlichen Grüßen\n[Ihr Name]"),
    ("placeholders", "placeholder", "此致\n敬礼\n【您的姓名】"),
    ("placeholders", "placeholder", "مع التحية، [اسمك]"),
    ("placeholders", "placeholder", "धन्यवाद, [आपका नाम]"),
    ("placeholders", "placeholder", "ด้วยความเคารพ [ชื่อของคุณ]"),
    ("markers", "turn_marker", "Blue.<|im_end|>\n<|im_start|>user"),
    ("markers", "turn_marker", "Blue. [/INST] And green."),
    ("markers", "turn_marker", "Blue.\n\n### Response: Green."),
    ("markers", "turn_marker", "Blue.</s>"),
    ("markers", "turn_marker", "<start_of_turn>model\nBlue."),
    ("controls", "control_characters", "Blue\x00 and green."),
    ("controls", "control_characters", "\x1b[31mBlue\x1b[0m"),
    ("controls", "control_characters", "Gr\ufffdn"),
    ("controls", "control_characters", "half \ud83d a pair"),
    ("echo", "prompt_echo", "Which colours does the winter sea have? It has many."),
]


async def _outcome(bind, record, **params):
    step, _ = bind(FILTER, **params)
    [outcome] = await step(record)
    return outcome


@pytest.mark.parametrize("switch, reason, response", BAD)
async def test_each_defect_has_its_reason_and_its_switch(bind, switch, reason, response):
    record = seed("Which colours does the winter sea have?", "en", response)
    drop = await _outcome(bind, record)
    assert isinstance(drop, Drop) and drop.reason == reason
    assert isinstance(await _outcome(bind, record, **{switch: False}), Record)


CUT = {
    "en": "The rain had stopped. We went out to look at the river. It had risen by more than a metre "
    "since the evening, and the old wooden bridge was",
    "de": "Der Regen hatte aufgehört. Wir gingen hinaus, um den Fluss zu sehen. Er war seit dem "
    "Abend um mehr als einen Meter gestiegen, und die alte Brücke",
    "zh": "雨停了。我们走出去看河水，发现它比昨天晚上高了一米多。老木桥的桥面已经被水淹没，村里的人们正在把家具搬到楼上，而孩子们",
    "ar": "توقف المطر أخيرا. خرجنا لننظر إلى النهر من فوق التل. كان قد ارتفع أكثر من متر منذ المساء وكان "
    "الجسر الخشبي القديم قد",
    "hi": "बारिश रुक गई थी। हम नदी को देखने के लिए बाहर निकले। शाम से पानी एक मीटर से भी अधिक बढ़ चुका था और पुराना पुल",
    "sw": "Mvua ilikuwa imekoma. Tulitoka nje kuangalia mto ule mkubwa. Maji yalikuwa yamepanda kwa "
    "zaidi ya mita moja tangu jioni, na daraja la zamani",
}


@pytest.mark.parametrize("language", CUT)
async def test_a_response_that_stops_in_mid_sentence_is_dropped(bind, language):
    drop = await _outcome(bind, seed("Was geschah?", language, CUT[language]))
    assert isinstance(drop, Drop) and drop.reason == "cut_ending"
    mark = {"hi": "।", "zh": "。"}.get(language, ".")
    whole = seed("Was geschah?", language, CUT[language] + mark)
    assert isinstance(await _outcome(bind, whole), Record)


@pytest.mark.parametrize("end", [" for example:", " in the north ("])
async def test_an_ending_that_promises_more_is_cut(bind, end):
    drop = await _outcome(bind, seed("And?", "en", GOOD["en"][1] + "\nThere are other salts" + end))
    assert drop.reason == "cut_ending"


async def test_code_may_hold_what_prose_may_not(bind):
    text = (
        "Use `{{name}}` or `<|im_end|>`:\n```\nTODO: [Your Name]\n<|im_start|>\n```\nThat is all."
    )
    assert isinstance(await _outcome(bind, seed("How?", "en", text)), Record)


@pytest.mark.parametrize(
    "text",
    [
        "See [the name](https://example.org/a) and a[name] = 1 in the file.",
        "## Instructions:\n\nBoil the eggs.",
        "Family: \U0001f468\u200d\U0001f469\u200d\U0001f467 and نمی\u200cتوان, \u200fשלום\u200f.",
        "<b>Todo</b> lists help; as Ana says: todo llega.",
        "[Verse 1]\nThe moon is up\n[Chorus]\nAnd so am I",
    ],
)
async def test_look_alikes_pass(bind, text):
    assert isinstance(await _outcome(bind, seed("Tell me.", "en", text)), Record)


async def test_an_instruction_with_a_gap_left_open_is_dropped(bind):
    drop = await _outcome(bind, seed("Summarise this article: [insert article here]", "en"))
    assert drop.reason == "placeholder"


async def test_own_markers_count(bind):
    record = seed("Say it.", "en", "Blue. @@END@@")
    assert (await _outcome(bind, record, more_markers=("@@END@@",))).reason == "turn_marker"
