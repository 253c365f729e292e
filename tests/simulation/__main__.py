"""Run many schedules, or replay one: `python -m tests.simulation --schedules 1000000`."""

from __future__ import annotations

import argparse
import gc
import multiprocessing
import sys
import time
from collections import Counter

from .guards import GUARDS, schedules_until_caught
from .schedules import prepare_sites, run_schedule
from .seams import simulated

_CHUNK = 500


def run_chunk(seeds):
    """Run some schedules; return their number, how jobs ended, processor seconds and what failed."""
    endings, failed = Counter(), []
    before = time.process_time()
    gc.disable()  # the frames of a schedule form circles: collecting them in batches is faster
    with simulated():
        prepare_sites()
        for number, seed in enumerate(seeds):
            if number % 100 == 0:
                gc.collect()
            result = run_schedule(seed)
            endings.update(result.endings)
            if result.violations:
                failed.append((seed, result.violations))
    return len(seeds), endings, time.process_time() - before, failed


def replay(seed):
    """Print every request of a schedule, and what it broke."""
    with simulated():
        prepare_sites()
        result = run_schedule(seed, trace=True)
    for when, process, service, name, fault in result.trace:
        print(
            f"{when:10.3f}  {process:18} {service:6} {name.split('/layouts/')[-1]} {f'  <-- {fault}' if fault else ''}"
        )
    for violation in result.violations:
        print(f"seed {seed}: {violation}")
    print(f"seed {seed}: jobs ended {', '.join(result.endings)} after {result.simulated_s:.0f} simulated seconds")
    return 1 if result.violations else 0


def remove_guards(most):
    """Remove each guard once, and print how many schedules it takes to notice."""
    missed = 0
    for guard in GUARDS:
        caught = schedules_until_caught(guard, most=most)
        missed += caught is None
        print(f"{guard.name:72} {f'{caught[0]:6}  {caught[1]}' if caught else f'not in {most}'}", flush=True)
    return 1 if missed else 0


def main():
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--schedules", type=int, default=10_000, help="how many (default: 10000)")
    parser.add_argument("--first", type=int, default=0, help="seed of the first (default: 0)")
    parser.add_argument("--processes", type=int, default=multiprocessing.cpu_count(), help="default: one for each core")
    parser.add_argument("--seed", type=int, help="replay this schedule alone, with every request")
    parser.add_argument("--guards", action="store_true", help="remove each guard of the product once instead")
    options = parser.parse_args()
    if options.guards:
        return remove_guards(options.schedules)
    if options.seed is not None:
        return replay(options.seed)
    last = options.first + options.schedules
    chunks = [range(start, min(start + _CHUNK, last)) for start in range(options.first, last, _CHUNK)]
    done, endings, cpu_s, failed = 0, Counter(), 0.0, []
    started = time.monotonic()
    with multiprocessing.Pool(options.processes) as pool:
        for number, (count, ended, seconds, bad) in enumerate(pool.imap_unordered(run_chunk, chunks), 1):
            done, cpu_s = done + count, cpu_s + seconds
            endings.update(ended)
            failed += bad
            for seed, violations in bad:
                print(f"seed {seed}: {violations[0]}", flush=True)
            if number % 20 == 0:
                print(f"{done} schedules in {time.monotonic() - started:.0f} s, {len(failed)} failed", flush=True)
    wall_s = time.monotonic() - started
    print(
        f"{done} schedules in {wall_s:.0f} s ({done / wall_s:.0f}/s; {done / cpu_s:.0f} per second of a core): "
        f"{len(failed)} failed; jobs ended {', '.join(f'{name} {count}' for name, count in sorted(endings.items()))}"
    )
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
