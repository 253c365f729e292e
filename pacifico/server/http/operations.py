"""What each route does, takes and returns, for checks and for the OpenAPI document."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tornado import web

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from pydantic import BaseModel

JSON = "application/json"


@dataclass(frozen=True, kw_only=True)
class Operation:
    """One method of one route."""

    summary: str
    tag: str
    body: type[BaseModel] | None = None
    """Model of the JSON body."""
    upload: bool = False
    """Whether the body is a file."""
    query: type[BaseModel] | None = None
    reply: type[BaseModel] | None = None
    """Model of the JSON response."""
    media: str = JSON
    """Media type of the response."""
    status: int = 200
    also: tuple[int, ...] = ()
    """Further statuses of success."""
    errors: tuple[int, ...] = ()
    """Statuses of errors, besides those that every operation may return."""
    headers: tuple[str, ...] = ()
    """Request headers that it reads."""
    cost: float = 1.0
    """Tokens of the rate limit."""


def operation(**about: Any) -> Callable[[Callable[..., Awaitable[None]]], Callable[..., Awaitable[None]]]:
    """Make a method of a handler an operation.

    Only authenticated users reach it. Errors become problems, and its work ends when the client leaves.
    """
    made = Operation(**about)

    def attach(method: Callable[..., Awaitable[None]]) -> Callable[..., Awaitable[None]]:
        @functools.wraps(method)
        async def run(self: Any, *arguments: str) -> None:
            await self.answer(method, arguments)

        guarded: Callable[..., Any] = web.authenticated(run)
        guarded.operation = made  # type: ignore[attr-defined]
        return guarded

    return attach


def operation_of(method: Any) -> Operation | None:
    """Operation of a method; None without one."""
    found = getattr(method, "operation", None)
    return found if isinstance(found, Operation) else None
