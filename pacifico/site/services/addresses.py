"""Web addresses: their display, and checks of redirects."""

from __future__ import annotations

import ipaddress
import re
import socket
from dataclasses import dataclass
from urllib.parse import urljoin, urlsplit, urlunsplit

from pacifico.errors import OutsideServiceError
from pacifico.site.features import clean_name

_DEFAULT_PORTS = {"http": 80, "https": 443}
_NAT64 = (ipaddress.ip_network("64:ff9b::/96"), ipaddress.ip_network("64:ff9b:1::/48"))


def is_url(text: str) -> bool:
    """Whether a source is a web address, not a path."""
    return re.match(r"https?://", text, re.IGNORECASE) is not None


def display_url(url: str) -> str:
    """Address for messages and manifests, without secrets."""
    parts = urlsplit(url)
    try:
        host = parts.hostname or ""
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        host, port = "?", ""
    kept = [p for p in parts.query.split("&") if p and p.partition("=")[0].lower() in {"where", "filter"}]
    query = f"?{'&'.join(kept)}" if kept else ""
    return clean_name(f"{parts.scheme}://{host}{port}{parts.path}{query}")[:160]


@dataclass(frozen=True)
class Target:
    """Address to ask next, and where to connect."""

    url: str
    """With the host's name."""
    pinned_ip: str = ""
    """Checked address of the host to connect to; empty where the host needs no check."""

    @property
    def pinned_url(self) -> str:
        """Address with the checked IP in place of the host's name."""
        if not self.pinned_ip:
            return self.url
        parts = urlsplit(self.url)
        host = f"[{self.pinned_ip}]" if ":" in self.pinned_ip else self.pinned_ip
        netloc = f"{host}:{parts.port}" if parts.port else host
        return urlunsplit((parts.scheme, netloc, parts.path, parts.query, ""))


def redirect_target(first: str, url: str, location: str) -> Target:
    """Target of a redirect, checked.

    The user's own host may redirect within itself. Any other host must be public: every address that its name resolves to
    is checked, and the connection goes to one of those.

    Parameters
    ----------
    first : str
        Address that the user gave.
    url : str
        Address that redirects.
    location : str
        Where it redirects to, absolute or relative.

    Raises
    ------
    OutsideServiceError
        Where the target is not http(s), leaves https, has no address, or has one that is not public.
    """
    remedy = "which is not followed; give the address it leads to"
    try:
        target = urljoin(url, location)
        parts = urlsplit(target)
        same_host = _origin(target) == _origin(first) or (
            (parts.hostname, _port(target)) == (urlsplit(first).hostname, 443) and _port(first) == 80
        )
    except ValueError:
        raise OutsideServiceError(f"{display_url(url)}: redirects to {clean_name(location)[:160]}, {remedy}") from None
    leaves_https = urlsplit(url).scheme == "https" and parts.scheme != "https"
    if parts.scheme not in _DEFAULT_PORTS or parts.username or leaves_https:
        raise OutsideServiceError(f"{display_url(url)}: redirects to {display_url(target)}, {remedy}")
    if same_host:
        return Target(target)
    for address in (addresses := _addresses(parts.hostname or "", _port(target), url)):
        if not is_public(address):
            raise OutsideServiceError(
                f"{display_url(url)}: redirects to {display_url(target)}, another host with the address {address}, which is "
                "not public; give the address it leads to, or download the layer and give the file"
            )
    return Target(target, addresses[0])


def is_public(address: str) -> bool:
    """Whether an IP address is on the public internet.

    Of an IPv6 address that embeds an IPv4 address, that one decides.
    """
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        inner = ip.ipv4_mapped or ip.sixtofour
        if any(ip in network for network in _NAT64):
            inner = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
        if inner is not None:
            return is_public(str(inner))
    return ip.is_global and not ip.is_multicast


def _addresses(host: str, port: int, url: str) -> list[str]:
    """IP addresses of a host."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise OutsideServiceError(
            f"{display_url(url)}: redirects to {clean_name(host)[:100]}, which has no address ({clean_name(str(error))}); try "
            "again later, or download the layer and give the file"
        ) from None
    return [str(entry[4][0]) for entry in found]


def _port(url: str) -> int:
    parts = urlsplit(url)
    return parts.port or _DEFAULT_PORTS.get(parts.scheme, 0)


def _origin(url: str) -> tuple[str, str, int]:
    parts = urlsplit(url)
    return parts.scheme, (parts.hostname or "").lower(), _port(url)
