"""Profiles and strategies stand in one home, and the jobs' copy agrees."""

from typing import get_args

from pacifico.cli import job_options, options
from pacifico.jobs import request
from pacifico.layout.criteria.profiles import PROFILES
from pacifico.layout.criteria.strategies import STRATEGIES


def test_jobs_know_the_same_profiles_and_strategies():
    """Jobs import nothing of the geometry, and so have a copy."""
    assert get_args(request.Profile) == PROFILES
    assert get_args(request.Strategy) == STRATEGIES


def test_commands_offer_all_profiles():
    import argparse

    for add_design in (options.add_design, job_options.add_design):
        parser = argparse.ArgumentParser()
        add_design(parser)
        choices = {a.dest: a.choices for a in parser._actions}
        assert choices["profile"] == PROFILES
        assert choices["strategy"] == STRATEGIES
