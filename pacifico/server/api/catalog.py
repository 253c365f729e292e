"""Kinds of plant, strategies and the catalog of rules."""

from __future__ import annotations

from typing import Any

from pacifico.server.http.handler import ApiHandler
from pacifico.server.http.operations import operation
from pacifico.server.models.queries import NoQuery
from pacifico.server.models.replies import Profiles, Tree
from pacifico.vocabulary import PROFILES, STRATEGIES


class ProfilesHandler(ApiHandler):
    """Profiles and strategies."""

    @operation(
        summary="Profiles with their main asset, and strategies.",
        tag="catalog",
        query=NoQuery,
        reply=Profiles,
        also=(304,),
    )
    async def get(self) -> None:
        """Answer with both lists."""
        self.query(NoQuery)
        self.reply(await self.services.read(_profiles))


class CatalogHandler(ApiHandler):
    """The catalog of rules and unit costs."""

    @operation(
        summary="Rules and unit costs with their ranges and sources; `spec` overrides them.",
        tag="catalog",
        query=NoQuery,
        reply=Tree,
        also=(304,),
    )
    async def get(self) -> None:
        """Answer with the catalog."""
        self.query(NoQuery)
        self.reply(await self.services.read(_catalog))


class PacksHandler(ApiHandler):
    """Rule packs that ship."""

    @operation(
        summary="Names of the rule packs for `compliance`.", tag="catalog", query=NoQuery, reply=Tree, also=(304,)
    )
    async def get(self) -> None:
        """Answer with the names."""
        self.query(NoQuery)
        self.reply({"packs": await self.services.read(_packs)})


def _profiles() -> dict[str, Any]:
    from pacifico.layout.criteria.request import MAIN_ASSET  # noqa: PLC0415

    return {"profiles": [{"name": p, "main_asset": MAIN_ASSET[p]} for p in PROFILES], "strategies": list(STRATEGIES)}


def _catalog() -> dict[str, Any]:
    from pacifico.layout.criteria.spec import catalog  # noqa: PLC0415 (1 s)

    return {section: dict(rules) for section, rules in catalog().items()}


def _packs() -> list[str]:
    from pacifico.analysis.rule_packs import shipped_packs  # noqa: PLC0415

    return shipped_packs()
