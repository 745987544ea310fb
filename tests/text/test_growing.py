from __future__ import annotations

import numpy as np

from engine.text.growing import Growing


def test_rows_stay_as_they_were_while_more_come():
    table = Growing(3, np.uint32)
    parts = [np.arange(3 * n, dtype=np.uint32).reshape(n, 3) for n in (1, 0, 7, 2, 500, 1)]
    for part in parts:
        table.extend(part)
    assert len(table) == 511
    assert (table.rows == np.concatenate(parts)).all()


def test_room_grows_by_a_quarter_so_that_most_additions_move_nothing():
    table = Growing(1, np.uint8)
    moves, before = 0, 0
    for _ in range(10_000):
        table.extend(np.ones((1, 1), np.uint8))
        moves, before = moves + (table._room.size != before), table._room.size
    assert moves < 50 and table._room.size < 12_600
