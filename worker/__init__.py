"""The SQS worker: `python -m worker`."""
