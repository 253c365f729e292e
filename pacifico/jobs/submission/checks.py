"""Checks of a request before it is stored."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pacifico.errors import InputError
from pacifico.jobs import keys
from pacifico.jobs.runner.staging import FILE_PARAMETERS, check_dem, upload_hash
from pacifico.jobs.store.base import NotFoundError, PermissionDeniedError
from pacifico.jobs.uploads import read_site_record
from pacifico.run import notebooks

if TYPE_CHECKING:
    from pacifico.jobs.request import JobRequest
    from pacifico.jobs.settings import Settings
    from pacifico.jobs.store.base import Store

#: Name of a shipped rule pack: no path, and no file of the machine that runs the job.
_PACK = re.compile(r"[a-z0-9-]{1,100}")


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


def check_parameters(request: JobRequest) -> None:
    """Refuse parameters that the notebook does not take.

    Raises
    ------
    InputError
        The notebook is unknown or no job's, or a parameter is unknown or of another type.
    """
    template = notebooks.find(request.notebook)
    if "owner" in template.parameters:
        raise InputError(f"notebook {template.name} works with jobs and can't be one; name layout_report")
    rules = request.parameters.get("rules")
    if isinstance(rules, str) and not _PACK.fullmatch(rules):
        raise InputError(
            f"rules is {rules[:60]!r}; a job opens no file for it: give the name of a shipped pack, or the rules as an object"
        )
    files = dict.fromkeys(name for name in FILE_PARAMETERS if name in request.parameters)
    own = {name: value for name, value in request.parameters.items() if name not in files}
    for name in files:
        if name not in template.parameters:
            raise InputError(
                f"notebook {template.name}: {name!r} is not a parameter. It takes: {', '.join(template.parameters)}"
            )
    staged = {name: "" for name, parameter in template.parameters.items() if parameter.required and name not in own}
    notebooks.check(template, {**staged, **own})
