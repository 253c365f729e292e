"""Whose request it is."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from pacifico.errors import InputError
from pacifico.server.http.owner import NoOwnerError, owner_of

HUB = {"JUPYTERHUB_SERVICE_PREFIX": "/user/ann/"}


def user(**about):
    return SimpleNamespace(username="anonymous-3f", hub_user=about)


def test_without_a_hub_it_is_the_setting_and_never_the_tokens_identity():
    assert owner_of(SimpleNamespace(username="5e745d9a"), "ann", {}) == "ann"
    assert owner_of(None, "ann", {}) == "ann"


def test_under_a_hub_it_is_the_hubs_user():
    assert owner_of(user(name="bob", kind="user"), "ann", HUB) == "bob"
    assert owner_of({"name": "bob", "kind": "user"}, "ann", HUB) == "bob"


@pytest.mark.parametrize("who", [None, user(), user(name=""), user(name="bob", kind="service"), user(name=5), "bob"])
def test_under_a_hub_nobody_else_owns_anything(who):
    with pytest.raises(NoOwnerError):
        owner_of(who, "ann", HUB)


def test_a_name_that_can_be_no_owner_is_refused():
    with pytest.raises(InputError):
        owner_of(user(name="x" * 500, kind="user"), "ann", HUB)
