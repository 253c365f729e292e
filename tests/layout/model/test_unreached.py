"""Reasons for which no road reaches something."""

from pacifico.layout.model.unreached import Unreached, UnreachedCause


def test_each_cause_has_its_own_words():
    assert len({cause.value for cause in UnreachedCause}) == len(UnreachedCause)


def test_causes_are_compared_not_messages():
    one = Unreached(UnreachedCause.TOO_STEEP, "no road there keeps 10 %")
    other = Unreached(UnreachedCause.TOO_STEEP, "no road there keeps 8 %")
    assert one.cause is other.cause
    assert one != other
