"""Good pairs in many scripts, written for the tests: no filter may drop one of them."""

# ruff: noqa: E501 - sentences in other scripts are wide, and read best whole
from __future__ import annotations

GOOD = {
    "en": (
        "Explain to a ten-year-old why the sea is salty.",
        "Rain falls on the hills and trickles through soil and stone. On its way it picks up tiny "
        "amounts of salt, far too little to taste. Rivers carry that salt to the sea. When the sun "
        "warms the water, only the water rises into the air; the salt stays behind. After millions "
        "of years, a lot has gathered there.",
    ),
    "de": (
        "Schreibe eine kurze Nachricht an deine Nachbarin, in der du dich für den Kuchen bedankst.",
        "Liebe Frau Albers,\n\nder Pflaumenkuchen war schon vor dem Abendessen verschwunden, so gut "
        "hat er uns geschmeckt. Die Kinder fragen seitdem jeden Tag, ob Sie wieder backen. Die Form "
        "bringe ich Ihnen morgen vorbei, und ein Glas Quittengelee dazu.\n\nHerzliche Grüße\nMiriam",
    ),
    "zh": (
        "请说明怎样在阳台上种番茄。",
        "先选一个深三十厘米以上的花盆，底部要有排水孔。四月把幼苗种进疏松的土里，放在每天能晒到六个小时太阳的地方。"
        "土面干了再浇水，不要把叶子弄湿。苗长到膝盖高时插一根竹竿，把茎轻轻绑上去。开花以后每两周施一次肥，大约两个月就能摘果。",
    ),
    "ar": (
        "اكتب ثلاث نصائح لمن يريد أن يستيقظ باكرا كل يوم.",
        "أولا، نم في الموعد نفسه كل ليلة، حتى في أيام العطلة. ثانيا، ضع المنبه بعيدا عن السرير كي تضطر إلى "
        "النهوض لإيقافه. ثالثا، افتح الستائر فور استيقاظك، فضوء الصباح يخبر جسمك بأن النهار قد بدأ.",
    ),
    "hi": (
        "समझाइए कि बारिश के बाद इंद्रधनुष क्यों दिखाई देता है।",
        "बारिश के बाद हवा में पानी की बहुत छोटी बूँदें तैरती रहती हैं। जब सूरज की किरण किसी बूँद में जाती है, तो वह मुड़ती है और "
        "अलग-अलग रंगों में बँट जाती है। बूँद की पिछली सतह इन रंगों को वापस हमारी आँखों की ओर भेजती है। इसलिए सूरज हमारी पीठ की ओर होना चाहिए।",
    ),
    "th": (
        "อธิบายวิธีต้มไข่ให้ไข่แดงเยิ้ม",
        "ตั้งน้ำให้เดือดก่อน แล้วค่อยๆ หย่อนไข่ลงไปด้วยช้อน จับเวลาหกนาทีครึ่งสำหรับไข่ที่เพิ่งออกจากตู้เย็น "
        "ระหว่างนั้นเตรียมชามน้ำแข็งไว้ พอครบเวลาให้ตักไข่ลงแช่ทันทีเพื่อหยุดความร้อน รอสักสามนาทีแล้วจึงปอกเปลือก ไข่ขาวจะสุกพอดีส่วนไข่แดงยังเป็นครีม",
    ),
    "sw": (
        "Eleza kwa nini ni muhimu kunawa mikono kabla ya kula.",
        "Mikono yetu hugusa vitu vingi kila siku, kama vile milango, pesa na simu. Vijidudu vidogo "
        "hubaki kwenye ngozi bila sisi kuviona. Tukila bila kunawa, vijidudu hivyo huingia mwilini na "
        "vinaweza kusababisha kuhara. Sabuni na maji safi kwa sekunde ishirini huondoa sehemu kubwa.",
    ),
    "ja": (
        "図書館で静かにする理由を一段落で説明してください。",
        "図書館には、調べものをする人や試験の準備をする人、物語の世界に浸りたい人が集まります。声や足音は思ったより遠くまで届き、"
        "誰かの集中を途切れさせてしまいます。静けさは皆で分け合う道具のようなものです。",
    ),
    "ko": (
        "자전거 타이어에 바람을 넣는 방법을 알려 주세요.",
        "먼저 밸브 뚜껑을 돌려서 뺍니다. 펌프 머리를 밸브에 똑바로 끼우고 레버를 올려 고정하세요. "
        "타이어 옆면에 적힌 압력까지 천천히 펌프질을 합니다. 다 되면 펌프를 빼고 뚜껑을 다시 닫으면 됩니다.",
    ),
}

STYLES = {
    "a list": "For the trip you need:\n\n- a tent and two warm blankets\n- water for three days\n"
    "- a map of the northern valleys on paper, since there is no signal there\n- matches",
    "a table": "| Planet | Moons |\n|---|---|\n| Mars | 2 |\n| Venus | 0 |\n| Earth | 1 |",
    "code": "This prints the squares.\n\n```python\nfor n in range(3):\n    print({n: n * n})\n```",
    "nested code": "```markdown\n# Title\n```python\nprint(1)\n```\nDone.\n```",
    "labels": "positive\nnegative\npositive\npositive\nnegative\npositive\nneutral",
    "one word": "Paris",
    "a sign": ">",
    "a number": "A googol has a hundred zeros: 1" + "0" * 100 + ". It has more digits than there "
    "are letters in a short note, and it is far larger than the number of atoms that anybody can "
    "see; still it is tiny against a googolplex, which nobody could write down at all. "
    "Kasner's nephew, aged nine, found its name.",
    "verse": "The harbour lamps go out by ten,\nthe gulls fold up their cries,\nand over boats and "
    "sleeping men\nthe slow white morning lies",
    "a citation": "Salt lowers the freezing point of water [1], as the map [A] and [sic] show.",
    "a formula": r"The slope is $\frac{{a}}{{b}}$, so we get $x_{{i}} = 3$ in the end.",
    "laughter": '"Hahahahahahahahaha," went the old clown, and the whole tent laughed with him until '
    "the lights went out and the horses came in from the rain outside.",
}

HOSTILE = {
    "empty": "",
    "blank": " \n\t ",
    "NUL": "a\x00b",
    "lone surrogate": "half a \ud83d pair",
    "marks of direction": "\u202eabc\u202c \u200fשלום\u200e",
    "combining marks alone": "\u0301\u0301\u0e31",
}
MEGABYTE = {
    "one letter": "a" * 1_000_000,
    "one word": "ha " * 333_333,
    "Chinese": "".join(chr(0x4E00 + i * 7919 % 20_000) for i in range(333_333)),
    "Thai": "กข" * 166_666,
    "line breaks": "\n" * 1_000_000,
    "brackets": "[" * 1_000_000,
    "small brackets": "".join(f"[a{i}]" for i in range(120_000)),
    "backticks": "` " * 500_000,
    "fences": "```x\n" * 200_000,
    "dollars": "$a" * 500_000,
    "quotes": '"a' * 500_000,
    "half markers": "<|a" * 333_333,
    "blanks": "one" + " " * 999_990 + "word",
    "sentences": "".join(f"Word {i} is here. " for i in range(55_000)),
}
