"""An answer of a headline as JSON."""

from pacifico.layout.model.headline import Answer


def test_an_answer_is_written_with_all_members():
    answer = Answer("cost", "Cost", "1.0 million USD", value=1e6, p10_p90=(8e5, 2e6), unit="USD")
    assert answer.to_json() == {
        "name": "cost",
        "label": "Cost",
        "text": "1.0 million USD",
        "alarm": False,
        "value": 1e6,
        "p10_p90": [8e5, 2e6],
        "unit": "USD",
    }
    assert Answer("risks", "Risks", "none").to_json()["p10_p90"] is None
