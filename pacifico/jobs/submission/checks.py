"""Checks of a request before it is stored."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pacifico.jobs import keys
from pacifico.jobs.runner.parameters import FILE_PARAMETERS, check_parameters
from pacifico.jobs.runner.staging import check_dem, upload_hash
from pacifico.jobs.store.base import NotFoundError, PermissionDeniedError
from pacifico.jobs.uploads import read_site_record

if TYPE_CHECKING:
    from pacifico.jobs.request import JobRequest
    from pacifico.jobs.settings import Settings
    from pacifico.jobs.store.base import Store


def check_request(request: JobRequest, store: Store, settings: Settings) -> None:
    """Refuse a request whose job could only fail.

    Raises
    ------
    InputError
        Site or uploads are not the owner's, the DEM's place is not allowed, or the notebook does not take its parameters.
    """
    check_dem(request.dem, settings)
    check_parameters(request)
    read_site_record(store, request.owner, request.site_id)
    given = {"dem": request.dem} if (request.dem or "").startswith("upload:") else {}
    given |= {name: request.parameters[name] for name in FILE_PARAMETERS if request.parameters.get(name) is not None}
    for name, address in given.items():
        key = f"{keys.upload(request.owner, upload_hash(name, address))}/upload.json"
        try:
            store.read(key)
        except NotFoundError:
            raise NotFoundError(
                f"{name} {str(address)[:80]!r} is not among the uploads of {request.owner!r}; upload it first"
            ) from None
        except PermissionDeniedError:
            continue  # the worker may read it, and will tell
