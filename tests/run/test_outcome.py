"""Stages and outcomes."""

from __future__ import annotations

from pacifico.run.outcome import MARGIN_NOTES, STAGES, Outcome


def test_stages_go_from_0_to_100_percent():
    percents = [percent for percent, _ in STAGES.values()]
    assert percents == sorted(set(percents))
    assert (percents[0], percents[-1]) == (0, 100)


def test_an_outcome_is_written_without_its_outputs():
    outcome = Outcome("failed", "request", 3, "E", "m", "a", "b", 1.0, {"x": {}}, "queued")
    assert not outcome.completed
    assert "outputs" not in outcome.as_dict()
    assert outcome.as_dict()["error_kind"] in MARGIN_NOTES
