"""Command line: one module for each command; `main` parses, runs and exits with the right status."""
