"""Open the store that the settings name."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from pacifico.errors import InputError

if TYPE_CHECKING:
    import boto3

    from pacifico.jobs.settings import Settings
    from pacifico.jobs.store.base import Store


def open_store(settings: Settings, *, session: boto3.Session | None = None) -> Store:
    """Open the store that the settings name.

    Parameters
    ----------
    settings : Settings
        Address and encryption.
    session : boto3.Session, optional
        Credentials and region; by default those of the environment.

    Raises
    ------
    InputError
        The address is neither a folder nor `s3://bucket[/prefix]`.
    """
    address = settings.store
    scheme = urlsplit(address).scheme
    if scheme == "s3":
        from pacifico.jobs.store.s3 import S3Store  # noqa: PLC0415 (boto3 takes 0.4 s)

        return S3Store(address, sse=settings.sse, kms_key_id=settings.kms_key_id, session=session)
    if scheme and "://" in address:
        raise InputError(f"store {address!r} is neither a folder nor s3://bucket[/prefix]; set PACIFICO_STORE")
    from pacifico.jobs.store.local import LocalStore  # noqa: PLC0415

    return LocalStore(Path(address))
