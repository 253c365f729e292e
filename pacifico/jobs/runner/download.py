"""Download a file from an allowed host.

Https only, no redirects, no private addresses.
"""

from __future__ import annotations

import http.client
import ipaddress
import socket
import ssl
import time
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

from pacifico.errors import InputError, OutsideServiceError
from pacifico.run.redact import redact

if TYPE_CHECKING:
    from pathlib import Path

    from pacifico.jobs.stop_signals import StopSignals

_CHUNK = 1 << 20
_REPLY_S = 30.0  # for each reply of the host
_TRANSFER_S = 600.0  # for the whole file
#: What stays as it is in an address: reserved characters, and what is escaped already.
_URL_SAFE = "%/:?#[]@!$&'()*+,;=~"
_NAT64 = (ipaddress.ip_network("64:ff9b::/96"), ipaddress.ip_network("64:ff9b:1::/48"))


def download(url: str, path: Path, *, limit: int, hosts: frozenset[str], signals: StopSignals | None = None) -> None:
    """Download a file over https.

    The name is resolved once and all its addresses must be public; the connection goes to one of these, so a name that
    resolves differently later gains nothing.

    Parameters
    ----------
    url : str
        Address of the file.
    path : Path
        Where to write it.
    limit : int
        Largest file accepted [bytes].
    hosts : frozenset of str
        Hosts that are allowed.
    signals : StopSignals, optional
        Stop the transfer.

    Raises
    ------
    InputError
        Host, port or address are not allowed, the host redirects or has no such file, or the file is over `limit` bytes.
    OutsideServiceError
        The host can't be reached, or fails.
    StoppedError
        The job was told to stop.
    """
    parts = urlsplit(url)
    host = allowed_host(url, hosts)
    address = _public_address(host)
    # http.client takes ASCII alone: other letters are sent as their escaped UTF-8 bytes, as browsers do
    target = quote((parts.path or "/") + (f"?{parts.query}" if parts.query else ""), safe=_URL_SAFE)
    try:
        with (
            socket.create_connection((address, 443), timeout=_REPLY_S) as plain,
            ssl.create_default_context().wrap_socket(plain, server_hostname=host) as secured,
        ):
            connection = http.client.HTTPSConnection(host, timeout=_REPLY_S)
            connection.sock = secured
            connection.request("GET", target, headers={"User-Agent": "pacifico", "Connection": "close"})
            with connection.getresponse() as reply:
                _save(reply, url, path, limit, signals)
    except (OSError, http.client.HTTPException) as error:
        if isinstance(error, OutsideServiceError):
            raise
        raise OutsideServiceError(f"{host} failed: {redact(str(error))}; try again later") from error


def allowed_host(url: str, hosts: frozenset[str]) -> str:
    """Host of an https address, if it is allowed.

    Raises
    ------
    InputError
        The host is not allowed, or the address can't be read.
    """
    try:
        parts = urlsplit(url)
        host, port = (parts.hostname or "").lower(), parts.port
    except ValueError as error:
        raise InputError(f"dem {url.split('?', maxsplit=1)[0][:200]!r} is no address: {error}; correct it") from None
    if parts.fragment:
        raise InputError(
            f"dem {_shown(url)!r} has a '#', which no server is sent; write it as %23 if the file's name has one"
        )
    host = _ascii_host(host)
    if (
        parts.scheme != "https"
        or host not in {_ascii_host(h) for h in hosts}
        or parts.username
        or port not in (None, 443)
    ):
        raise InputError(
            f"dem {_shown(url)!r}: not https on one of the places allowed; upload the file, or set PACIFICO_DEM_HOSTS"
        )
    return host


def _ascii_host(host: str) -> str:
    """Host name in the form that DNS and TLS take."""
    try:
        return host.encode("idna").decode("ascii") if not host.isascii() else host
    except UnicodeError:
        raise InputError(f"{host[:100]!r} is no host name; correct it") from None


def _save(reply: http.client.HTTPResponse, url: str, path: Path, limit: int, signals: StopSignals | None) -> None:
    """Write a reply's body to a file.

    Parameters
    ----------
    reply : HTTPResponse
        The host's reply.
    url : str
        Address, for messages.
    path : Path
        Where to write.
    limit : int
        Largest body accepted [bytes].
    signals : StopSignals or None
        Stop the transfer.
    """
    if 300 <= reply.status < 400:
        raise InputError(f"{_shown(url)!r} redirects ({reply.status}); give the address that it leads to")
    if 400 <= reply.status < 500 and reply.status not in (408, 429):
        raise InputError(f"{_shown(url)!r} answers {reply.status} {reply.reason}; check the address")
    if reply.status != 200:
        raise OutsideServiceError(f"{_shown(url)!r} answers {reply.status} {reply.reason}; try again later")
    end, size = time.monotonic() + _TRANSFER_S, 0
    too_large = f"{_shown(url)!r} is over {limit / 1e6:.0f} MB; give a smaller file"
    if reply.length is not None and reply.length > limit:
        raise InputError(too_large)
    with path.open("wb") as file:
        while chunk := reply.read(_CHUNK):
            if signals is not None:
                signals.check()
            size += len(chunk)
            if size > limit:
                raise InputError(too_large)
            if time.monotonic() > end:
                raise OutsideServiceError(f"{_shown(url)!r} took over {_TRANSFER_S:g} s; try again later")
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
    """Whether an address, and any IPv4 address embedded in it, is public."""
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour
        if any(address in network for network in _NAT64):
            inner = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        if inner is not None:
            return _is_public(inner)
    return address.is_global and not address.is_multicast


def _shown(url: str) -> str:
    """Address for messages, without its query and user, which may hold secrets."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"[:200]
