"""A job's DEM over https: a real TLS server on loopback stands where a public address is asked for."""

from __future__ import annotations

import datetime as dt
import http.server
import socket
import ssl
import threading
from types import SimpleNamespace

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from pacifico.errors import InputError, OutsideServiceError
from pacifico.jobs.runner import download as module
from pacifico.jobs.runner.download import download
from pacifico.jobs.stop_signals import StoppedError, StopSignals

HOST = "dem.example"
HOSTS = frozenset({HOST})
PUBLIC = "93.184.215.14"
URL = f"https://{HOST}/folder/dem.tif?X-Amz-Signature=secret"
CONTENT = b"II*\x00" + bytes(range(256)) * 1000


def certificate(folder, name):
    """Self-signed, for a host name; certificate and key in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = folder / f"{name}.pem"
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(made.public_bytes(serialization.Encoding.PEM) + secret)
    return path


class Site:
    """An https server; `answer(handler)` says what a GET gets."""

    def __init__(self, pem):
        self.asked = []
        self.answer = lambda handler: self.send(handler, 200, CONTENT)
        self.released = threading.Event()
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *args):
                pass

            def do_GET(self):
                outer.asked.append((self.path, self.headers["Host"]))
                outer.answer(self)

        class Server(http.server.ThreadingHTTPServer):
            def handle_error(self, request, client_address):
                pass  # clients that refuse the certificate, or have read enough

        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(pem)
        self.server = Server(("127.0.0.1", 0), Handler)
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True, do_handshake_on_connect=False)
        self.port = self.server.server_port
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02})
        self.thread.start()

    @staticmethod
    def send(handler, status, body=b"", *, length=None, **headers):
        handler.send_response(status)
        handler.send_header("Content-Length", str(len(body) if length is None else length))
        for name, value in headers.items():
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(body)
        if length is not None:
            handler.close_connection = True

    def close(self):
        self.released.set()
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


@pytest.fixture(scope="module")
def pem(tmp_path_factory):
    return certificate(tmp_path_factory.mktemp("tls"), HOST)


@pytest.fixture
def site(pem, monkeypatch):
    """The server, trusted, and reached where its public address is dialled."""
    site = Site(pem)
    monkeypatch.setenv("SSL_CERT_FILE", str(pem))
    dialled = site.dialled = []

    def dial(address, **options):
        dialled.append(address)
        return socket.create_connection(("127.0.0.1", site.port), **options)

    monkeypatch.setattr(module, "socket", SimpleNamespace(create_connection=dial, SOCK_STREAM=socket.SOCK_STREAM))
    resolve(monkeypatch, PUBLIC)
    yield site
    site.close()


def resolve(monkeypatch, *addresses):
    asked = []

    def answer(host, port, **options):
        asked.append(host)
        return [
            (socket.AF_INET6 if ":" in a else socket.AF_INET, socket.SOCK_STREAM, 6, "", (a, port)) for a in addresses
        ]

    monkeypatch.setattr(module.socket, "getaddrinfo", answer, raising=False)
    return asked


def fetch(tmp_path, url=URL, *, limit=1 << 20, hosts=HOSTS):
    path = tmp_path / "dem.tif"
    download(url, path, limit=limit, hosts=hosts)
    return path.read_bytes()


def test_a_file_comes_whole_from_the_address_that_was_looked_at(site, tmp_path, monkeypatch):
    asked = resolve(monkeypatch, PUBLIC, "2606:2800:21f:cb07:6820:80da:af6b:8b2c")
    assert fetch(tmp_path) == CONTENT
    assert asked == [HOST]  # resolved once: no second answer can differ
    assert site.dialled == [(PUBLIC, 443)]
    assert site.asked == [("/folder/dem.tif?X-Amz-Signature=secret", HOST)]


def test_a_name_in_capitals_is_the_same_host(site, tmp_path):
    assert fetch(tmp_path, f"https://{HOST.upper()}:443/x.tif") == CONTENT


@pytest.mark.parametrize(
    "url",
    [
        f"http://{HOST}/x.tif",
        f"ftp://{HOST}/x.tif",
        "https://other.example/x.tif",
        f"https://{HOST}.evil.example/x.tif",
        f"https://evil.example/{HOST}/x.tif",
        f"https://{HOST}@evil.example/x.tif",
        f"https://user:password@{HOST}/x.tif",
        f"https://{HOST}:8443/x.tif",
        "https://127.0.0.1/x.tif",
        "file:///etc/passwd",
    ],
)
def test_other_places_are_refused_before_anything_is_asked(site, tmp_path, monkeypatch, url):
    asked = resolve(monkeypatch, PUBLIC)
    with pytest.raises(InputError, match="PACIFICO_DEM_HOSTS") as caught:
        fetch(tmp_path, url)
    assert "password" not in str(caught.value)
    assert asked == site.dialled == site.asked == []


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.0.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1", "255.255.255.255",
        "::", "::1", "fe80::1%eth0", "fd00:ec2::254", "ff02::1", "::ffff:127.0.0.1", "::ffff:169.254.169.254",
        "64:ff9b::a9fe:a9fe", "64:ff9b:1::10.0.0.1", "2002:7f00:1::",
    ],
)  # fmt: skip
def test_addresses_within_this_network_are_refused_also_beside_public_ones(site, tmp_path, monkeypatch, address):
    for addresses in ([address], [PUBLIC, address], [address, PUBLIC]):
        resolve(monkeypatch, *addresses)
        with pytest.raises(InputError, match="not public"):
            fetch(tmp_path)
    assert site.dialled == []


@pytest.mark.parametrize("address", [PUBLIC, "2606:4700::1111", "::ffff:93.184.215.14", "64:ff9b::5db8:d70e"])
def test_public_addresses_are_dialled(site, tmp_path, monkeypatch, address):
    resolve(monkeypatch, address)
    assert fetch(tmp_path) == CONTENT
    assert site.dialled == [(address, 443)]


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize(
    "target", ["https://169.254.169.254/latest/meta-data", f"https://{HOST}/other.tif", "file:///etc/passwd"]
)
def test_redirects_are_not_followed(site, tmp_path, status, target):
    site.answer = lambda handler: site.send(handler, status, Location=target)
    with pytest.raises(InputError, match=rf"redirects \({status}\)"):
        fetch(tmp_path)
    assert len(site.asked) == 1


@pytest.mark.parametrize(
    ("status", "fault"),
    [(400, InputError), (401, InputError), (403, InputError), (404, InputError), (410, InputError),
     (408, OutsideServiceError), (429, OutsideServiceError), (500, OutsideServiceError), (503, OutsideServiceError),
     (206, OutsideServiceError)],
)  # fmt: skip
def test_whose_fault_an_answer_is(site, tmp_path, status, fault):
    site.answer = lambda handler: site.send(handler, status)
    with pytest.raises(fault, match=str(status)) as caught:
        fetch(tmp_path)
    assert "secret" not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_file_over_the_limit_is_refused_by_what_it_says_of_itself(site, tmp_path):
    site.answer = lambda handler: site.send(handler, 200, b"II*\x00", length=10**12)
    with pytest.raises(InputError, match="over 1 MB"):
        fetch(tmp_path)
    assert not (tmp_path / "dem.tif").exists()


def test_a_file_over_the_limit_is_refused_though_it_says_nothing(site, tmp_path):
    sent = []

    def endless(handler):
        handler.send_response(200)
        handler.send_header("Transfer-Encoding", "chunked")
        handler.end_headers()
        while not site.released.is_set() and len(sent) < 10_000:
            handler.wfile.write(b"10000\r\n" + bytes(0x10000) + b"\r\n")
            sent.append(1)

    site.answer = endless
    with pytest.raises(InputError, match="over 1 MB"):
        fetch(tmp_path)
    assert (tmp_path / "dem.tif").stat().st_size <= 1 << 20
    assert len(sent) < 10_000


def test_exactly_the_limit_is_taken(site, tmp_path):
    assert fetch(tmp_path, limit=len(CONTENT)) == CONTENT
    with pytest.raises(InputError, match="give a smaller file"):
        fetch(tmp_path, limit=len(CONTENT) - 1)


def test_a_file_that_breaks_off(site, tmp_path):
    site.answer = lambda handler: site.send(handler, 200, CONTENT, length=len(CONTENT) + 7)
    with pytest.raises(OutsideServiceError, match="broke off 7 bytes before its end"):
        fetch(tmp_path)

    def half_a_chunk(handler):
        handler.send_response(200)
        handler.send_header("Transfer-Encoding", "chunked")
        handler.end_headers()
        handler.wfile.write(b"100\r\nII*")
        handler.close_connection = True

    site.answer = half_a_chunk
    with pytest.raises(OutsideServiceError, match="failed"):
        fetch(tmp_path)


def test_silence_and_slowness_end(site, tmp_path, monkeypatch):
    site.answer = lambda handler: site.released.wait(20)
    monkeypatch.setattr(module, "_REPLY_S", 0.3)
    with pytest.raises(OutsideServiceError, match=r"timed out.*try again later"):
        fetch(tmp_path)
    sent = []

    def trickle(handler):
        handler.send_response(200)
        handler.send_header("Content-Length", "1000000")
        handler.end_headers()
        while not site.released.wait(0.01):
            handler.wfile.write(bytes(100))
            sent.append(100)

    site.answer = trickle
    monkeypatch.setattr(module, "_TRANSFER_S", 0.5)
    monkeypatch.setattr(module, "_CHUNK", 500)
    with pytest.raises(OutsideServiceError, match=r"took over 0\.5 s"):
        fetch(tmp_path)
    assert sum(sent) < 500_000


def test_who_it_is_must_be_shown(site, tmp_path, monkeypatch):
    """A certificate of somebody else's, and one that nobody vouches for."""
    with pytest.raises(OutsideServiceError, match="certificate"):
        fetch(tmp_path, "https://other.example/x.tif", hosts=frozenset({"other.example"}))
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate(tmp_path, "stranger")))
    with pytest.raises(OutsideServiceError, match="certificate"):
        fetch(tmp_path)
    assert site.asked == []


def test_a_host_without_address_and_one_that_does_not_listen(site, tmp_path, monkeypatch):
    def none(*args, **options):
        raise socket.gaierror(-2, "Name or service not known")

    site.close()
    with pytest.raises(OutsideServiceError, match="try again later"):
        fetch(tmp_path)
    monkeypatch.setattr(module.socket, "getaddrinfo", none)
    with pytest.raises(OutsideServiceError, match="has no address"):
        fetch(tmp_path)


def test_letters_outside_ascii_are_sent_escaped(site, tmp_path):
    fetch(tmp_path, f"https://{HOST}/höhen/süd west.tif?größe=1&a=%20b")
    assert site.asked == [("/h%C3%B6hen/s%C3%BCd%20west.tif?gr%C3%B6%C3%9Fe=1&a=%20b", HOST)]


def test_a_host_outside_ascii_is_asked_by_its_dns_name(site, tmp_path):
    with pytest.raises(OutsideServiceError, match="xn--"):
        fetch(tmp_path, "https://höhen.example/x.tif", hosts=frozenset({"höhen.example"}))


def test_a_stop_ends_a_transfer_between_two_chunks(site, tmp_path, monkeypatch):
    signals, sent = StopSignals(), []

    def trickle(handler):
        handler.send_response(200)
        handler.send_header("Content-Length", "1000000")
        handler.end_headers()
        while not site.released.wait(0.01):
            handler.wfile.write(bytes(100))
            sent.append(100)
            signals.abandon.set()

    site.answer = trickle
    monkeypatch.setattr(module, "_CHUNK", 500)
    with pytest.raises(StoppedError):
        download(URL, tmp_path / "x", limit=1 << 30, hosts=HOSTS, signals=signals)
    assert sum(sent) < 100_000
