import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from overnight.errors import CredentialsError, UsageError
from overnight.google.endpoints import check_destination, google_endpoints, local_endpoints


@pytest.mark.parametrize(
    ("location", "host"),
    [  # facts 1.1, [D]
        ("us-central1", "https://us-central1-aiplatform.googleapis.com"),
        ("europe-west4", "https://europe-west4-aiplatform.googleapis.com"),
        ("global", "https://aiplatform.googleapis.com"),
        ("us", "https://aiplatform.us.rep.googleapis.com"),
        ("eu", "https://aiplatform.eu.rep.googleapis.com"),
    ],
)
def test_the_host_follows_from_the_location(location: str, host: str) -> None:
    assert google_endpoints().vertex(location) == host
    check_destination(host + "/v1/projects/p", local=False)


@pytest.mark.parametrize("location", ["", "US-CENTRAL1", "evil.example/", "a@b", "us central1", "../x", "1us"])
def test_what_is_no_location_builds_no_host(location: str) -> None:
    with pytest.raises(UsageError, match="no location"):
        google_endpoints().vertex(location)
    with pytest.raises(UsageError, match="no location"):
        local_endpoints("http://127.0.0.1:1").vertex(location)


@pytest.mark.parametrize("url", ["http://127.0.0.1:8080", "http://localhost:1/", "http://[::1]:9", "https://127.0.0.1"])
def test_the_local_cloud_is_on_this_machine(url: str) -> None:
    ends = local_endpoints(url)
    assert ends.local
    assert ends.storage == ends.vertex("global") == ends.vertex("europe-west4") == url.rstrip("/")


@pytest.mark.parametrize(
    "url",
    [
        "http://10.0.0.1:80",
        "http://example.org",
        "http://127.0.0.1.example.org",
        "http://localhost@example.org",
        "http://user@127.0.0.1",
        "ftp://127.0.0.1",
        "127.0.0.1:80",
        "http://127.0.0.1:port",
        "http://127.0.0.1/path",
        "http://127.0.0.1?x=1",
        "http://0.0.0.0:80",
        "http://[::1",
        "",
    ],
)
def test_anything_else_is_refused(url: str) -> None:
    with pytest.raises(UsageError, match="no address on this machine"):
        local_endpoints(url)


@pytest.mark.parametrize(
    "url",
    [
        "http://storage.googleapis.com/x",
        "https://googleapis.com.example.org/",
        "https://evilgoogleapis.com/",
        "https://storage.googleapis.com@example.org/",
        "https://example.org\\@storage.googleapis.com/",
        "https://storage.googleapis.com:8443/",
        "https://127.0.0.1/",
        "https://example.org/?storage.googleapis.com",
        "https://example.org#.googleapis.com",
    ],
)
def test_googles_credentials_go_to_google_only(url: str) -> None:
    with pytest.raises(CredentialsError, match="Nothing was sent"):
        check_destination(url, local=False)


@pytest.mark.parametrize("url", ["https://storage.googleapis.com/x", "https://example.org", "http://192.168.0.1"])
def test_local_credentials_stay_on_this_machine(url: str) -> None:
    with pytest.raises(CredentialsError, match="which is not an address on this machine"):
        check_destination(url, local=True)


PIECES = [
    "googleapis.com",
    ".",
    "/",
    "@",
    "\\",
    ":",
    "443",
    "#",
    "?",
    "%2f",
    "[",
    "]",
    "::1",
    "x",
    "evil.org",
    " ",
    "\t",
    "Ⅽ",
]


@given(st.lists(st.sampled_from(PIECES), max_size=8).map("".join))
@example("Ⅽ.googleapis.com")
def test_law_a_url_that_passes_is_googles_for_requests_too(tail: str) -> None:
    """Whatever passes the guard, the library that connects must read the same host."""
    from urllib3.util import parse_url

    url = "https://" + tail
    try:
        check_destination(url, local=False)
    except CredentialsError:
        return
    host = parse_url(url).host or ""
    assert host.rstrip(".") == "googleapis.com" or host.rstrip(".").endswith(".googleapis.com")
