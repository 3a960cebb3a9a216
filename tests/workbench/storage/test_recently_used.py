"""The cache keeps the latest values and evicts the least recently used first."""

from workbench.storage.recently_used import Latest


def test_each_is_made_once_and_the_least_recently_used_let_go():
    held = Latest[bytes](10, len)
    made = []

    def encode(name):
        made.append(name)
        return name.encode() * 4

    for name in ["a", "b", "a", "c", "a", "b"]:
        assert held.get(name, lambda name=name: encode(name)) == name.encode() * 4
    # a and b fill it; c pushes out b, which had been used longest ago; then b comes again
    assert made == ["a", "b", "c", "b"]


def test_a_replaced_value_counts_once_and_the_newest_stays_whatever_its_size():
    held = Latest[bytes](10, len)
    for size in (4, 6, 3):
        held.put("a", bytes(size))
    held.put("b", bytes(7))
    assert [len(held.get(key, bytes)) for key in "ab"] == [3, 7]
    assert len(held.put("c", bytes(99))) == len(held.get("c", bytes)) == 99
    assert held.get("a", lambda: b"anew") == b"anew"
