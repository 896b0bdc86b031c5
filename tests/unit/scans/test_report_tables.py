"""The numbers that its text repeats, and how its tables order the losses."""

import pytest

from medscale.scans.report_tables import REPORTED_ACCURACY, REPORTED_OVERLAP


def test_the_aid_raises_every_number_of_the_report():
    for row in REPORTED_OVERLAP.values():
        assert row.train_aided > row.train
        assert row.test_aided > row.test
    gains = [row.test_aided - row.test for row in REPORTED_OVERLAP.values()]
    assert gains == pytest.approx([0.03049, 0.00249, 0.03284])


def test_only_breast_ultrasound_is_hard_in_the_report():
    assert REPORTED_ACCURACY["brain_mri"].test == 1
    breast = REPORTED_ACCURACY["breast_ultrasound"]
    assert (breast.train, breast.test, breast.detection) == (1.0, 0.8526, 0.904)
