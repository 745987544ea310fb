from __future__ import annotations

from engine.spool import Spool
from tests.conftest import seed


def test_what_is_put_aside_comes_back_in_order_and_again():
    records = [
        seed("eins \ud800", response="نعم\0"),
        seed("", n=[1, {"a": None}]),
        seed("长" * 9999),
    ]
    with Spool() as spool:
        for record in records:
            spool.put(record)
        assert list(spool) == records == list(spool)
        spool.put(records[0])
        assert len(spool) == 4 and list(spool)[3] == records[0]


def test_an_empty_spool_gives_nothing():
    with Spool() as spool:
        assert list(spool) == [] and len(spool) == 0
