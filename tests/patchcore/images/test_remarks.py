"""Remarks on many images become few sentences."""

from patchcore.images.remarks import MOST_KINDS, RemarkTally, grouped


def test_equal_remarks_are_one_sentence():
    found = [(f"{number:02}.png", ["Turned."] if number < 38 else []) for number in range(40)]
    assert grouped(found) == ["38 of 40 images (00.png, 01.png, 02.png and 35 more): Turned."]
    assert grouped(found[:38]) == ["All 38 images: Turned."]
    assert grouped(found[37:]) == ["37.png: Turned."]
    assert grouped([]) == grouped(found[38:]) == []


def test_remarks_that_differ_in_numbers_are_of_one_kind():
    found = [(name, [f"{count:,} pixels were above it."]) for name, count in (("a", 12), ("b", 1_300))]
    assert grouped(found) == ["All 2 images, such as a: 12 pixels were above it."]
    assert grouped([*found, ("c", [])])[0].startswith("2 of 3 images (a, b), such as a: 12 pixels")


def test_the_most_frequent_remark_comes_first_and_kinds_are_limited():
    many = [(f"{kind}.png", [f"Remark {chr(97 + kind // 26)}{chr(97 + kind % 26)}."]) for kind in range(30)]
    sentences = grouped([*many, ("x", ["Often."]), ("y", ["Often."])])
    assert sentences[0].endswith("Often.") and len(sentences) == MOST_KINDS + 1
    assert sentences[-1] == "Further remarks of 11 kinds are not shown."


def test_a_long_run_names_each_kind_once():
    tally = RemarkTally()
    said = [tally.take(f"{number}\n.png", ["Grey.", "Grey."] if number else []) for number in range(5)]
    assert said == [[], ["1\\n.png: Grey."], [], [], []]
    assert tally.repeated() == tally.sentences() != []
    tally.take("once", ["Turned."])
    assert len(tally.sentences()) == 2 and len(tally.repeated()) == 1
