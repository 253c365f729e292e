"""Uploads of an owner, and checks before a job is stored."""

from __future__ import annotations

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "checks": ["check_request"],
        "quotas": ["QuotaError", "jobs_left", "require_bytes", "running_jobs"],
        "tickets": ["Tickets"],
        "uploading": ["Uploader"],
    },
)
