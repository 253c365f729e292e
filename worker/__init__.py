"""The SQS worker, `python -m worker`.

Takes layout jobs from a queue and runs them.
"""
