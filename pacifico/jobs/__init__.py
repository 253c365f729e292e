"""Requests, store, queue and client of asynchronous jobs."""
