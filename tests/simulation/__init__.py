"""Deterministic simulation of jobs: the product's own code, with store, queue, clocks, workers and clients simulated.

`python -m tests.simulation --schedules 1000000` runs many schedules, `--seed N` replays one, `--guards` removes each guard
of the product once. The tests beside this file run ten thousand schedules.
"""
