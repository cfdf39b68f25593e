"""One hash for a list of records, from which any one record can be shown to be in the list. Pure.

Merkle trees as in RFC 6962, section 2.1: a leaf is hashed with a 0 byte before it and a node with a 1 byte, so that no
node can be passed off as a leaf; with n leaves the left branch has the largest power of two below n.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence


def leaf_hash(record: bytes) -> bytes:
    """The hash of one record."""
    return hashlib.sha256(b"\x00" + record).digest()


def root(leaves: Sequence[bytes]) -> bytes:
    """The root over the leaves' hashes, in their order; of none, the hash of nothing."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    middle = _left_size(len(leaves))
    return _node(root(leaves[:middle]), root(leaves[middle:]))


def path(leaves: Sequence[bytes], index: int) -> tuple[bytes, ...]:
    """The hashes that lead from the leaf at `index` to the root, the lowest first. Raises IndexError for no leaf."""
    if not 0 <= index < len(leaves):
        raise IndexError(f"leaf {index} of {len(leaves)}")
    if len(leaves) == 1:
        return ()
    middle = _left_size(len(leaves))
    if index < middle:
        return (*path(leaves[:middle], index), root(leaves[middle:]))
    return (*path(leaves[middle:], index - middle), root(leaves[:middle]))


def root_from_path(leaf: bytes, index: int, num_leaves: int, hashes: Sequence[bytes]) -> bytes | None:
    """The root that a leaf's hash and its path give; None where a list of that size has no such path."""
    if not 0 <= index < num_leaves or len(hashes) != _height(index, num_leaves):
        return None
    if num_leaves == 1:
        return leaf
    middle = _left_size(num_leaves)
    if index < middle:
        below = root_from_path(leaf, index, middle, hashes[:-1])
        return None if below is None else _node(below, hashes[-1])
    below = root_from_path(leaf, index - middle, num_leaves - middle, hashes[:-1])
    return None if below is None else _node(hashes[-1], below)


def _height(index: int, num_leaves: int) -> int:
    """How many hashes lead from a leaf to the root."""
    height = 0
    while num_leaves > 1:
        middle = _left_size(num_leaves)
        index, num_leaves = (index, middle) if index < middle else (index - middle, num_leaves - middle)
        height += 1
    return height


def _left_size(num_leaves: int) -> int:
    """The largest power of two below `num_leaves`, of which there are at least two."""
    return int(1 << (num_leaves - 1).bit_length() - 1)


def _node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()
