"""The SQS worker, `python -m worker`: takes layout jobs from a queue and runs them."""
