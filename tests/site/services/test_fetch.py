"""Requests: retries, limits, redirects."""

import datetime as dt
import http.server
import ssl
import threading

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from pacifico.errors import OutsideServiceError
from pacifico.site.services import addresses
from pacifico.site.services.fetch import Fetcher, FetchSettings


@pytest.mark.parametrize("protocol", ["arcgis", "ogc"])
@pytest.mark.parametrize("fault", [500, 503, 429, "reset", b'{"error": {"code": 503, "message": "busy"}}'])
def test_transient_faults_are_tried_again(service, protocol, fault):
    service.faults = [None, fault, fault, None, fault]
    assert len(service.fetch(getattr(service, protocol)).features) == 5


@pytest.mark.parametrize(
    "fault", [500, "reset", b'{"error": {"code": 500, "message": "Unable to complete operation."}}']
)
def test_a_service_that_stays_down_is_an_outside_fault(service, fault):
    service.faults = [fault] * 50
    with pytest.raises(OutsideServiceError, match=r"127\.0\.0\.1.*no answer after 4 tries.*give the file") as caught:
        service.fetch(service.arcgis)
    assert "\n" not in str(caught.value)
    assert len(service.requests) == 4


@pytest.mark.parametrize("fault", ["stall", "drip"])
def test_a_slow_service_is_given_up(service, fault):
    service.faults = [fault] * 50
    with pytest.raises(OutsideServiceError, match=r"limit|tries: it timed out"):
        service.fetch(service.ogc, FetchSettings(timeout_s=0.3, total_s=1.0, retries=1, backoff_s=0.01))


def test_a_flood_is_cut_off(service):
    service.faults = ["flood"]
    with pytest.raises(OutsideServiceError, match="more than 2 MB"):
        service.fetch(service.ogc, FetchSettings(max_bytes=2_000_000))


def test_a_server_that_asks_for_a_longer_pause_than_there_is_time(service):
    service.faults = [(503, {"Retry-After": "20"})] * 3
    with pytest.raises(OutsideServiceError, match="not done after 5 s"):
        service.fetch(service.ogc, FetchSettings(total_s=5.0))


def test_a_redirect_within_the_host_is_followed(service):
    service.faults = [(301, {"Location": service.arcgis + "?f=json"}), (302, {"Location": "/ogc/collections/wetlands"})]
    assert Fetcher(service.quick).get(service.base + "/moved").document["title"] == "Wetlands of the county"


@pytest.mark.parametrize(
    ("location", "message"),
    [
        ("file:///etc/passwd", "not followed"),
        ("http://u:p@127.0.0.1/x", "not followed"),
        ("http://[bad", "not followed"),
        ("/moved", "more than 5 redirects"),
        ("http://127.0.0.1:9/latest/meta-data", r"another host with the address 127\.0\.0\.1, which is not public"),
        ("http://localhost/x", "which is not public"),
        ("http://169.254.169.254/latest/meta-data", "which is not public"),
        ("http://10.0.0.7/x", "which is not public"),
        ("http://[::ffff:192.168.0.1]/x", "which is not public"),
        ("https://no-such-host.invalid/x", "which has no address"),
    ],
)
def test_redirects_that_are_not_followed(service, location, message):
    service.faults = [(302, {"Location": location})] * 10
    with pytest.raises(OutsideServiceError, match=message) as caught:
        Fetcher(service.quick).get(service.base + "/moved")
    assert caught.value.exit_code == 3
    assert "\n" not in str(caught.value)


def certificate(folder, name):
    """Self-signed certificate and key of a host, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = dt.datetime.now(dt.UTC)
    signed = (
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
    path.write_bytes(signed.public_bytes(serialization.Encoding.PEM) + secret)
    return path


@pytest.fixture
def secure_host(tmp_path, monkeypatch):
    """Port of an https server with a name's certificate, and the hosts it was asked for."""

    def serving(name):
        asked = []

        class Handler(http.server.BaseHTTPRequestHandler):
            def log_message(self, *args):
                pass

            def do_GET(self):
                asked.append(self.headers["Host"])
                self.send_response(200)
                self.end_headers()
                self.wfile.write(b'{"here": true}')

        class Server(http.server.ThreadingHTTPServer):
            def handle_error(self, request, client_address):
                pass  # a client that refuses the certificate

        pem = certificate(tmp_path, name)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(pem)
        server = Server(("127.0.0.1", 0), Handler)
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        running.append((server, thread))
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(pem))
        return server.server_port, asked

    running = []
    # Loopback stands for a public address; the name resolves to it.
    monkeypatch.setattr(addresses, "is_public", lambda address: True)
    resolve = addresses.socket.getaddrinfo
    monkeypatch.setattr(
        addresses.socket,
        "getaddrinfo",
        lambda host, *a, **k: resolve("127.0.0.1" if host == "gis.test" else host, *a, **k),
    )
    yield serving
    for server, thread in running:
        server.shutdown()
        server.server_close()
        thread.join()


def test_another_host_is_reached_at_its_checked_address_under_its_own_name(service, secure_host):
    port, asked = secure_host("gis.test")
    service.faults = [(302, {"Location": f"https://gis.test:{port}/layer"})]
    assert Fetcher(service.quick).get(service.base + "/moved").document == {"here": True}
    assert asked == [f"gis.test:{port}"]


def test_another_host_without_the_certificate_of_its_name_is_refused(service, secure_host):
    port, asked = secure_host("other.test")
    service.faults = [(302, {"Location": f"https://gis.test:{port}/layer"})] * 4
    with pytest.raises(OutsideServiceError, match="no answer after 4 tries"):
        Fetcher(service.quick).get(service.base + "/moved")
    assert asked == []
