from workbench.viewer.lineage import Lineage


def test_a_page_that_always_gives_the_same_wishes_nothing():
    lineage = Lineage()
    first = lineage.revision
    assert not lineage.give("a")
    lineage.tell("b")
    assert not lineage.give("a")
    assert lineage.revision == first


def test_an_echo_is_no_wish_at_once_or_one_run_later():
    lineage = Lineage()
    lineage.give("a")
    lineage.tell("b")
    assert not lineage.give("b")  # by a callback, in the same run
    lineage.tell("c")
    lineage.tell("d")
    assert not lineage.give("c")  # one run late: the user has moved on meanwhile
    assert not lineage.give("d")


def test_anything_else_is_the_pages_wish():
    lineage = Lineage()
    lineage.give("a")
    lineage.tell("b")
    lineage.give("b")
    before = lineage.revision
    assert lineage.give("a")  # undone by the page
    assert lineage.revision != before


def test_an_old_value_given_again_is_a_wish():
    lineage = Lineage()
    lineage.give("a")
    for told in ("b", "c"):
        lineage.tell(told)
        lineage.give(told)
    assert lineage.give("b")


def test_after_a_wish_even_what_was_told_before_it_is_one():
    lineage = Lineage()
    lineage.give("a")
    lineage.tell("b")
    lineage.give("b")
    lineage.give("a")
    before = lineage.revision
    assert lineage.give("b")
    assert lineage.revision != before


def test_a_new_session_is_never_taken_for_the_old_one():
    assert Lineage().revision != Lineage().revision
