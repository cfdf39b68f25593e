"""Merkle roots and paths against the vectors of Certificate Transparency, and against every wrong claim."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalsuite.proofs import merkle

RECORDS = [bytes.fromhex(text) for text in (
    "", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f",
)]  # fmt: skip
ROOTS = (
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
)
"""Roots over the first 0 to 8 records, as the reference implementation of RFC 6962 tests itself with."""


@pytest.mark.parametrize("size", range(9))
def test_roots_are_those_of_certificate_transparency(size: int) -> None:
    assert merkle.root([merkle.leaf_hash(record) for record in RECORDS[:size]]).hex() == ROOTS[size]


def leaves_of(size: int) -> list[bytes]:
    return [merkle.leaf_hash(b"%d" % number) for number in range(size)]


@given(st.integers(1, 70), st.data())
def test_every_record_is_proven_and_no_other(size: int, data: st.DataObject) -> None:
    leaves = leaves_of(size)
    root = merkle.root(leaves)
    index = data.draw(st.integers(0, size - 1))
    path = merkle.path(leaves, index)
    assert len(path) <= (size - 1).bit_length()
    assert merkle.root_from_path(leaves[index], index, size, path) == root
    assert merkle.root_from_path(merkle.leaf_hash(b"another"), index, size, path) != root
    if size > 1:
        other = data.draw(st.integers(0, size - 1).filter(lambda each: each != index))
        assert merkle.root_from_path(leaves[index], other, size, path) != root
        assert merkle.root_from_path(leaves[index], index, size, path[:-1]) is None
        changed = (hashlib.sha256(path[0]).digest(), *path[1:])
        assert merkle.root_from_path(leaves[index], index, size, changed) != root
    assert merkle.root_from_path(leaves[index], index, size, (*path, root)) is None


def test_a_node_is_no_leaf() -> None:
    leaves = leaves_of(4)
    left, right = merkle.root(leaves[:2]), merkle.root(leaves[2:])
    assert merkle.root([merkle.leaf_hash(left), merkle.leaf_hash(right)]) != merkle.root(leaves)
    assert merkle.leaf_hash(leaves[0] + leaves[1]) != left


@pytest.mark.parametrize(("index", "size"), [(-1, 3), (3, 3), (0, 0)])
def test_what_is_no_place_has_no_path(index: int, size: int) -> None:
    with pytest.raises(IndexError):
        merkle.path(leaves_of(size), index)
    assert merkle.root_from_path(leaves_of(4)[0], index, size, ()) is None
