"""Windows of text: the target is the input, one character later."""

import numpy as np
import pytest

from tinygrad_opt.data import CharacterText, DataLoader, read_text


def test_targets_are_one_character_ahead():
    data = CharacterText("abcdefghij", 3)
    pairs = [(data.decode(x), data.decode(y)) for x, y in (data[i] for i in range(len(data)))]
    assert pairs == [("abc", "bcd"), ("def", "efg"), ("ghi", "hij")]


def test_windows_may_overlap_and_come_in_batches():
    data = CharacterText("abcdef", 3, stride=1)
    x, y = next(iter(DataLoader(data, None)))
    assert [data.decode(row) for row in x.data] == ["abc", "bcd", "cde"]
    assert [data.decode(row) for row in y.data] == ["bcd", "cde", "def"]
    a, b = data.take(np.array([2, 0]))
    assert data.decode(a.data[0]) == "cde"
    assert data.decode(b.data[1]) == "bcd"


def test_an_alphabet_can_be_shared():
    train = CharacterText("hello world", 2)
    assert CharacterText("low", 2, alphabet=train.alphabet).codes.tolist() == train.encode("low").tolist()
    with pytest.raises(ValueError, match="'!'"):
        train.encode("hello!")


def test_wrong_lengths_are_refused():
    with pytest.raises(ValueError, match="4 or more, this has 3"):
        CharacterText("abc", 3)
    with pytest.raises(ValueError, match="at least 1"):
        CharacterText("abc", 0)
    with pytest.raises(IndexError, match="window 3 of 3"):
        CharacterText("abcdefghij", 3)[3]


def test_only_utf8_is_read(tmp_path):
    path = tmp_path / "text.txt"
    path.write_text("naïve", encoding="utf-8")
    assert read_text(path) == "naïve"
    path.write_bytes("naïve".encode("latin-1"))
    with pytest.raises(ValueError, match="UTF-8"):
        read_text(path)
