"""Parameters that a job may give its notebook.

Clients check them before a request is stored, and workers again: an owner can write a request without our client.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pacifico.errors import InputError
from pacifico.run import notebooks

if TYPE_CHECKING:
    from pacifico.jobs.request import JobRequest

#: Parameters of the notebook that take a file; a request gives `upload:<sha256>` for them.
FILE_PARAMETERS = ("exclusions", "weather")

#: Name of a shipped rule pack: no path, and no file of the machine that runs the job.
_PACK = re.compile(r"[a-z0-9-]{1,100}")


def check_parameters(request: JobRequest) -> None:
    """Refuse parameters that the notebook does not take.

    Raises
    ------
    InputError
        The notebook is unknown or no job's, or a parameter is unknown, of another type, or names a file.
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
