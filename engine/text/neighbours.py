"""The nearest vectors by cosine: exact for up to 100,000, with faiss beyond.

Up to ``EXACT`` vectors a product of matrices compares a block of questions with all of them.
Beyond, an inverted file of faiss (the vectors by nearest of some thousand centres; the lists of
the 16 nearest centres are searched, exactly) takes over, if faiss is installed; without it every
vector is compared still, which takes hours for a million. Vectors are held at half precision:
1 GB for a million of 512 numbers.

Source: Jégou et al., "Product Quantization for Nearest Neighbor Search", 2011,
doi:10.1109/TPAMI.2010.57 (the inverted file); Douze et al., "The Faiss library", 2024,
arXiv:2401.08281.
"""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from engine.text.growing import Growing
from engine.text.minhash import Twin

EXACT = 100_000
"""Vectors up to which each is compared."""
AT_ONCE = 4096
"""Stored vectors in one product of matrices."""
PER_LIST, PROBES, ITERATIONS = 50, 16, 10
"""Vectors for a centre when the lists are made, lists searched, and steps of k-means."""
SLACK = 5e-4
"""What half precision may take from a cosine."""

Vectors = NDArray[np.float32]


class Nearest(NamedTuple):
    """For each question the nearest, from near to far; where there are fewer, -1 and -2."""

    positions: NDArray[np.int64]
    cosines: Vectors


class Neighbours:
    """Vectors of length 1 that can be asked for the nearest to others."""

    def __init__(self, dimension: int, exact: int = EXACT) -> None:
        """No vectors yet, of ``dimension`` numbers; see ``EXACT``."""
        self._exact = exact if find_spec("faiss") else np.inf
        self._stored = Growing(dimension, np.float16)
        self._lists: Any = None

    def __len__(self) -> int:
        return int(self._lists.ntotal) if self._lists else len(self._stored)

    def add(self, vectors: Vectors) -> None:
        """Append vectors; a position is how many came before."""
        if self._lists:
            self._lists.add(np.ascontiguousarray(vectors))
            return
        self._stored.extend(vectors.astype(np.float16))
        if len(self._stored) > self._exact:
            self._lists = _inverted(self._stored.rows.astype(np.float32))
            self._stored = Growing(vectors.shape[1], np.float16)

    def nearest(self, vectors: Vectors, count: int = 1) -> Nearest:
        """The ``count`` nearest to each of ``vectors``."""
        if self._lists:
            cosines, positions = self._lists.search(np.ascontiguousarray(vectors), count)
            return Nearest(positions, np.where(positions < 0, -2, cosines).astype(np.float32))
        best = Nearest(
            np.full((len(vectors), count), -1, np.int64),
            np.full((len(vectors), count), -2, np.float32),
        )
        for first in range(0, len(self._stored), AT_ONCE):
            some = self._stored.rows[first : first + AT_ONCE].astype(np.float32)
            best = _better(best, vectors @ some.T, first)
        return best

    def admit(self, vectors: Vectors, threshold: float) -> list[Twin | None]:
        """For each vector, in order, the nearest added before it, if the cosine is ``threshold``.

        Where there is none, the vector is added. A thousand at once are fastest.
        """
        known, before = len(self), self.nearest(vectors)
        beside = vectors @ vectors.T
        twins: list[Twin | None] = []
        new: list[int] = []
        for row in range(len(vectors)):
            at, cosine = int(before.positions[row, 0]), float(before.cosines[row, 0])
            if new and (most := int(np.argmax(beside[row, new]))) >= 0:
                here = float(beside[row, new[most]])
                at, cosine = (known + most, here) if here > cosine else (at, cosine)
            twin = Twin(at, min(cosine, 1.0)) if cosine >= threshold - SLACK else None
            twins.append(twin)
            if twin is None:
                new.append(row)
        self.add(vectors[new])
        return twins


def _better(best: Nearest, cosines: Vectors, first: int) -> Nearest:
    """The best of what was found and of further vectors, which begin at position ``first``."""
    count = best.positions.shape[1]
    if count == 1:  # ten times as fast as the general way
        columns = cosines.argmax(axis=1)[:, None]
        cosines = np.take_along_axis(cosines, columns, axis=1)
    elif cosines.shape[1] > count:
        columns = np.argpartition(-cosines, count - 1, axis=1)[:, :count]
        cosines = np.take_along_axis(cosines, columns, axis=1)
    else:
        columns = np.broadcast_to(np.arange(cosines.shape[1]), cosines.shape)
    cosines = np.concatenate((best.cosines, cosines), axis=1)
    positions = np.concatenate((best.positions, columns + first), axis=1)
    order = np.lexsort((positions, -cosines), axis=1)[:, :count]
    return Nearest(
        np.take_along_axis(positions, order, axis=1), np.take_along_axis(cosines, order, axis=1)
    )


def _inverted(vectors: Vectors) -> Any:
    import faiss

    count, dimension = vectors.shape
    lists = faiss.IndexIVFScalarQuantizer(
        faiss.IndexFlatIP(dimension),
        dimension,
        max(1, count // PER_LIST),
        faiss.ScalarQuantizer.QT_fp16,
        faiss.METRIC_INNER_PRODUCT,
        False,  # the vectors themselves, not what they differ from their centre
    )
    lists.cp.niter, lists.nprobe = ITERATIONS, PROBES
    lists.train(vectors)
    lists.add(vectors)
    return lists
