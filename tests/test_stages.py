"""Callbacks of stages: called where there is one, and scaled for parts of the work."""

from pacifico.stages import begin, part_of


def test_a_stage_is_told_where_somebody_listens():
    told = []
    begin(lambda *stage: told.append(stage), "search", 40, "placing assets")
    begin(None, "search", 40, "placing assets")
    assert told == [("search", 40, "placing assets")]


def test_a_part_has_its_share_of_the_percentage():
    told = []
    part = part_of(lambda *stage: told.append(stage), 20, 60)
    for percent in (0, 50, 100):
        part("search", percent, "")
    assert [percent for _, percent, _ in told] == [20, 40, 60]
    assert part_of(None, 0, 50) is None
