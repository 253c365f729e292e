"""Addresses in messages, and where a redirect may lead."""

import pytest

from pacifico.errors import OutsideServiceError
from pacifico.site.services.addresses import Target, display_url, is_public, redirect_target


def test_messages_show_no_secrets():
    url = "https://u:p@h:8443/a/FeatureServer/0?token=x&where=A%3D1&f=json"
    assert display_url(url) == "https://h:8443/a/FeatureServer/0?where=A%3D1"
    assert display_url("https://h:port/a") == "https://?/a"


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("93.184.215.14", True), ("2606:2800:220:1:248:1893:25c8:1946", True), ("127.0.0.1", False), ("10.1.2.3", False),
        ("192.168.1.1", False), ("169.254.169.254", False), ("100.64.0.1", False), ("224.0.0.1", False), ("0.0.0.0", False),
        ("::1", False), ("fe80::1%eth0", False), ("fd00::1", False), ("::ffff:10.0.0.1", False), ("64:ff9b::a00:1", False),
        ("2002:a00:1::", False),
    ],
)  # fmt: skip
def test_public_addresses(address, public):
    assert is_public(address) is public


@pytest.mark.parametrize(
    ("first", "location", "target"),
    [
        ("http://10.0.0.1/a", "/b", "http://10.0.0.1/b"),
        ("http://10.0.0.1:8080/a", "http://10.0.0.1:8080/b?x=1", "http://10.0.0.1:8080/b?x=1"),
        ("http://10.0.0.1/a", "https://10.0.0.1/a", "https://10.0.0.1/a"),
    ],
)
def test_the_users_own_host_may_redirect_within_itself(first, location, target):
    assert redirect_target(first, first, location) == Target(target)


def test_another_port_is_another_host_and_https_is_not_left():
    with pytest.raises(OutsideServiceError, match="not public"):
        redirect_target("http://127.0.0.1:8000/a", "http://127.0.0.1:8000/a", "http://127.0.0.1:8001/a")
    with pytest.raises(OutsideServiceError, match="not followed"):
        redirect_target("https://10.0.0.1/a", "https://10.0.0.1/a", "http://10.0.0.1/a")


def test_a_public_host_is_reached_at_its_checked_address():
    found = redirect_target("https://10.0.0.1/a", "https://10.0.0.1/a", "https://93.184.215.14:8443/b?x=1")
    assert (found.pinned_ip, found.pinned_url) == ("93.184.215.14", "https://93.184.215.14:8443/b?x=1")
    assert Target("https://example.org/b", "2606:2800::1").pinned_url == "https://[2606:2800::1]/b"
