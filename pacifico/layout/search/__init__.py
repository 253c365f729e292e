"""Search for the best layout: candidate areas, evaluation, objectives and local search."""
