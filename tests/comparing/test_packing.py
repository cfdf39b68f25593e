"""Packed outcomes are short and exact."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as np_st

from evalsuite.comparing.packing import pack, unpack

NUMBERS = {
    "bits": st.sampled_from([0.0, 1.0]),
    "small": st.integers(0, 255).map(float),
    "whole": st.integers(-(2**31), 2**31 - 1).map(float),
    "any": st.floats(allow_nan=False, allow_infinity=False),
}


@pytest.mark.parametrize("kind", NUMBERS)
@given(data=st.data())
def test_what_is_packed_comes_back_to_the_last_bit(kind: str, data: st.DataObject) -> None:
    shape = data.draw(st.tuples(st.integers(0, 20), st.integers(1, 4)))
    values = data.draw(np_st.arrays(np.float64, shape, elements=NUMBERS[kind]))
    found = unpack(pack(values))
    assert found.shape == values.shape
    if not (np.signbit(values) & (values == 0)).any():
        assert found.tobytes() == np.ascontiguousarray(values).tobytes()
    assert (found == values).all()


def test_thirty_thousand_right_and_wrong_take_five_thousand_characters() -> None:
    values = np.random.default_rng(1).integers(0, 2, (30_000, 1)).astype(float)
    packed = pack(values)
    assert packed.form == "bits"
    assert len(packed.data) == 5_000


def test_ratings_take_a_byte_at_most() -> None:
    values = np.random.default_rng(1).integers(1, 11, (30_000, 1)).astype(float)
    assert pack(values).form == "u1"
    assert len(pack(values).data) < 30_000


@pytest.mark.parametrize(
    "change",
    [{"data": "????"}, {"data": "AAAA"}, {"rows": 7}, {"width": 2}, {"form": "f8"}, {"form": "bits"}, {"data": ""}],
)
def test_what_was_changed_is_refused(change: dict[str, object]) -> None:
    packed = pack(np.array([[3.0], [200.0], [7.0]]))
    with pytest.raises(ValueError, match=r"."):
        unpack(msgspec.structs.replace(packed, **change))


def test_bits_past_the_end_are_refused() -> None:
    packed = pack(np.array([[1.0], [0.0], [1.0]]))
    with pytest.raises(ValueError, match="bits"):
        unpack(msgspec.structs.replace(packed, data="v///"[:2] + "=="))
