"""Name and password, and who reads the metrics."""

import asyncio

import httpx
import pytest

from app.security import middleware
from app.security.settings import Settings
from tests.app.security.on_socket import serving
from tests.app.security.small_app import APP, LOCK, OWN, ask, basic, refused


def metrics(address: str, settings: dict, headers: dict | None = None) -> int:
    """The status of /metrics for an address."""
    front = middleware.protect(APP, Settings(**settings))

    async def send():
        transport = httpx.ASGITransport(front, client=(address, 5000))
        async with httpx.AsyncClient(transport=transport, base_url=OWN) as client:
            return {(await client.get(path, headers=headers)).status_code for path in ("/metrics", "/fw/metrics")}

    (status,) = asyncio.run(send())
    return status


def test_the_metrics_are_for_trusted_addresses_or_with_the_password():
    mine = {"root_path": "/fw"}
    theirs = mine | {"metrics": Settings.from_env({"FACEWHY_METRICS": "private"}).metrics}
    assert [metrics(address, mine) for address in ("127.0.0.1", "::1", "10.1.1.1", "203.0.113.7")] == [
        200,
        200,
        403,
        403,
    ]
    assert [metrics(address, theirs) for address in ("127.0.0.1", "::1", "10.1.1.1", "203.0.113.7")] == [200] * 3 + [
        403
    ]
    assert [metrics(address, theirs | LOCK) for address in ("10.1.1.1", "203.0.113.7")] == [200, 401]
    assert metrics("203.0.113.7", mine | LOCK, {"Authorization": basic("ann:pä:ss")}) == 200


@pytest.mark.parametrize("path", ["/", "/predict", "/metrics/x", "/assets/index-0a1b2c3d.js", "/gradio_api/upload"])
def test_everything_is_locked(path):
    answer = ask("GET", path, settings=LOCK)
    refused(answer, 401, "NotAuthorized")
    assert answer.headers["www-authenticate"].startswith("Basic ")


def test_health_is_open_to_look_at():
    assert ask("GET", "/health", settings=LOCK).status_code == 200
    assert ask("HEAD", "/health", settings=LOCK).status_code == 200
    assert ask("POST", "/health", settings=LOCK).status_code == 401
    assert ask("GET", "/health/", settings=LOCK).status_code == 401


def test_the_right_password_opens():
    answer = ask(headers={"Authorization": basic("ann:pä:ss")}, settings=LOCK)
    assert answer.status_code == 200


@pytest.mark.parametrize(
    "given",
    [
        basic("ann:pass"),
        basic("bob:pä:ss"),
        basic("ann"),
        basic(""),
        "Basic",
        "Basic !",
        "Bearer x",
        basic("ann:pä:ss")[6:],
    ],
)
def test_a_wrong_password_does_not(given):
    refused(ask(headers={"Authorization": given}, settings=LOCK), 401, "NotAuthorized")


def test_guessing_ends_soon():
    refused(ask(headers={"Authorization": basic("ann:x")}, times=11, settings=LOCK), 429, "RateLimited")


def test_a_client_of_gradio_can_sign_in_with_its_own_options():
    """`Client(url, httpx_kwargs={"auth": ...})` sends the header with every request."""
    with serving(**LOCK) as port:
        with httpx.Client(auth=httpx.BasicAuth("ann", "pä:ss")) as client:
            assert client.get(f"http://127.0.0.1:{port}/config").status_code == 200
