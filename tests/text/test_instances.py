from engine.text.instances import LAYOUTS, compared, instance, laid_out, loosened


def faults(*pairs: tuple[str, str]) -> list[str]:
    return [one.fault for one in compared([instance(*pair) for pair in pairs])]


def test_an_instance_is_out_for_what_is_wrong_with_it_by_itself():
    assert faults(("a", "b"), ("क", "क "), ("a c", " "), ("", "")) == [
        "",
        "input_is_output",
        "empty_output",
        "empty_output",
    ]
    assert faults(("原文：", "b"), ("a", "Antwort:"), ("a:b", "c:d")) == [
        "ends_with_colon",
        "ends_with_colon",
        "",
    ]


def test_two_outputs_to_one_input_rule_out_all():
    assert faults(("是", "a"), ("是", "b"), ("否", "c"), ("x", "")) == [
        *["contradictory_outputs"] * 3,
        "empty_output",
    ]


def test_an_empty_input_may_have_several_outputs_and_a_faulty_one_contradicts_nothing():
    assert faults(("", "a"), ("none", "b")) == ["", ""]
    assert faults(("x", "a"), ("x", "b:")) == ["", "ends_with_colon"]


def test_of_equal_instances_the_first_stays():
    assert faults(("नमस्ते", "a"), (" नमस्ते", "a "), ("y", "a")) == ["", "duplicate_instance", ""]


def test_every_layout_keeps_task_and_input_word_for_word():
    task, text = "Zähle {Wörter}: {0}", "一 {input} 二"
    for layout in LAYOUTS:
        shown = laid_out(task, text, layout)
        assert shown.startswith(task + "\n") and text in shown
    assert laid_out(task, "", LAYOUTS[0]) == task
    assert laid_out("t", "字" * 1_000_000, LAYOUTS[3]).count("字") == 1_000_000
    assert laid_out("", "", LAYOUTS[0]) == ""


def test_a_lone_label_and_blank_lines_go_and_a_form_keeps_its_labels():
    assert loosened("Text: Der Hund\n\n \nschläft.") == "Der Hund\nschläft."
    assert loosened("वाक्य: राम आया।") == "राम आया।"
    assert loosened("评论：\n菜很好吃。") == "菜很好吃。"
    kept = [
        "Name: Ada\nAlter: 7",
        "Abfahrt 10:30",
        "10:30 Uhr",
        "https://x.y",
        "他说：你好",
        "Text:",
        "",
    ]
    assert [loosened(text) for text in kept] == kept
    assert loosened("Uhrzeit: 10:30 Uhr") == "10:30 Uhr"


def test_a_very_long_input_is_loosened_in_one_pass():
    assert loosened("Text: " + "ab\n\n" * 200_000).count("\n\n") == 0
    assert loosened("字" * 500_000) == "字" * 500_000
