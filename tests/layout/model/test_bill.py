"""Records of a bill: costs of a line, totals and their intervals, and the CSV file."""

import csv
import io
import math

import pytest

from pacifico.layout.model.bill import COLUMNS, Bill, Line


def line(quantity=10.0, q=(9.0, 12.0), cost=5.0, c=(4.0, 7.0)):
    return Line("x", "X", quantity, *q, "m", "measured", "by hand", cost, *c, "catalog", 2023, "none")


def test_a_line_combines_quantity_and_price_as_independent():
    assert line().cost == 50
    assert line().cost_low == pytest.approx(50 * (1 - math.hypot(0.1, 0.2)))
    assert line().cost_high == pytest.approx(50 * (1 + math.hypot(0.2, 0.4)))
    assert line(q=(10.0, 10.0)).cost_low == pytest.approx(40)


def test_totals_of_two_equal_lines():
    two = Bill((line(q=(10.0, 10.0)), line(q=(10.0, 10.0))), (0.0, 0.0, 0.0), "none")
    assert two.total == 100
    assert two.correlated == pytest.approx((80, 140))
    assert two.independent == pytest.approx((100 - math.sqrt(2) * 10, 100 + math.sqrt(2) * 20))


def test_the_csv_has_every_line_and_the_totals():
    bill = Bill((line(), line(quantity=20.0, q=(18.0, 24.0))), (0.1, 0.05, 0.2), "shares")
    text = bill.to_csv()
    assert text == bill.to_csv()
    rows = list(csv.DictReader(io.StringIO(text)))
    assert tuple(rows[0]) == COLUMNS
    assert [r["item"] for r in rows] == ["x", "x", "direct", "indirect", "total_independent", "total_correlated"]
    assert [r["cost"] for r in rows] == ["50", "100", "150", "15", "165", "165"]
    assert rows[3]["source"] == "shares"
