"""Fetch a file from an allowed host: https alone, no redirects, no addresses within this network."""

from __future__ import annotations

import http.client
import ipaddress
import socket
import ssl
import time
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from pacifico.errors import InputError, OutsideServiceError

if TYPE_CHECKING:
    from pathlib import Path

_CHUNK = 1 << 20
_PATIENCE_S = 30.0
_WHOLE_S = 600.0
_NAT64 = (ipaddress.ip_network("64:ff9b::/96"), ipaddress.ip_network("64:ff9b:1::/48"))


def download(url: str, path: Path, *, limit: int, hosts: frozenset[str]) -> None:
    """Fetch a file over https.

    The name is resolved once, every address it has must be public, and the connection goes to one of those: a name that
    answers differently the second time gains nothing.

    Raises
    ------
    InputError
        Host, port or address are not allowed, the host redirects or has no such file, or the file is over `limit` bytes.
    OutsideServiceError
        The host can't be reached, or fails.
    """
    parts = urlsplit(url)
    host = allowed_host(url, hosts)
    address = _public_address(host)
    target = parts.path + (f"?{parts.query}" if parts.query else "")
    try:
        with (
            socket.create_connection((address, 443), timeout=_PATIENCE_S) as plain,
            ssl.create_default_context().wrap_socket(plain, server_hostname=host) as secured,
        ):
            connection = http.client.HTTPSConnection(host, timeout=_PATIENCE_S)
            connection.sock = secured
            connection.request("GET", target, headers={"User-Agent": "pacifico", "Connection": "close"})
            with connection.getresponse() as reply:
                _save(reply, url, path, limit)
    except (OSError, http.client.HTTPException) as error:
        if isinstance(error, OutsideServiceError):
            raise
        raise OutsideServiceError(f"{host} failed: {error}; try again later") from error


def allowed_host(url: str, hosts: frozenset[str]) -> str:
    """Host of an https address on the standard port, if it is among those allowed.

    Raises
    ------
    InputError
        It is not, or the address is none.
    """
    try:
        parts = urlsplit(url)
        host, port = (parts.hostname or "").lower(), parts.port
    except ValueError as error:
        raise InputError(f"dem {url.split('?', maxsplit=1)[0][:200]!r} is no address: {error}") from None
    if parts.scheme != "https" or host not in hosts or parts.username or port not in (None, 443):
        raise InputError(
            f"dem {_shown(url)!r}: not https on one of the places allowed; upload the file, or set PACIFICO_DEM_HOSTS"
        )
    return host


def _save(reply: http.client.HTTPResponse, url: str, path: Path, limit: int) -> None:
    if 300 <= reply.status < 400:
        raise InputError(f"{_shown(url)!r} redirects ({reply.status}); give the address that it leads to")
    if 400 <= reply.status < 500 and reply.status not in (408, 429):
        raise InputError(f"{_shown(url)!r} answers {reply.status} {reply.reason}; check the address")
    if reply.status != 200:
        raise OutsideServiceError(f"{_shown(url)!r} answers {reply.status} {reply.reason}; try again later")
    end, size = time.monotonic() + _WHOLE_S, 0
    too_large = f"{_shown(url)!r} is over {limit / 1e6:.0f} MB; give a smaller file"
    if reply.length is not None and reply.length > limit:
        raise InputError(too_large)
    with path.open("wb") as file:
        while chunk := reply.read(_CHUNK):
            size += len(chunk)
            if size > limit:
                raise InputError(too_large)
            if time.monotonic() > end:
                raise OutsideServiceError(f"{_shown(url)!r} took over {_WHOLE_S:g} s")
            file.write(chunk)
    if reply.length:
        raise OutsideServiceError(f"{_shown(url)!r} broke off {reply.length} bytes before its end; try again later")


def _public_address(host: str) -> str:
    try:
        found = socket.getaddrinfo(host, 443, type=socket.SOCK_STREAM)
    except OSError as error:
        raise OutsideServiceError(f"{host} has no address: {error}; check the name, or try again later") from error
    addresses = [str(entry[4][0]) for entry in found]
    for address in addresses:
        if not _is_public(ipaddress.ip_address(address.split("%")[0])):
            raise InputError(f"{host} has the address {address}, which is not public; upload the file instead")
    return addresses[0]


def _is_public(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    """Whether an address is of the public internet, and so is the IPv4 address it stands for where it stands for one."""
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour
        if any(address in network for network in _NAT64):
            inner = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        if inner is not None:
            return _is_public(inner)
    return address.is_global and not address.is_multicast


def _shown(url: str) -> str:
    """Address for messages: without a query, which may hold a signature, and without who signs in."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"[:200]
