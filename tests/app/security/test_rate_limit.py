"""How often a client may ask, and who counts as one."""

import limits
import pytest
from starlette.datastructures import Headers

from app.security import rate_limit
from tests.app.security.small_app import ask, refused


def test_computing_is_limited_and_says_when_to_come_back():
    limit = {"rates": (limits.parse("3/minute"),)}
    assert ask(times=3, settings=limit).status_code == 200
    answer = ask(times=4, settings=limit)
    refused(answer, 429, "RateLimited")
    assert 1 <= int(answer.headers["retry-after"]) <= 61


def test_reading_is_limited_far_less_and_what_is_small_not_at_all():
    limit = {"rates": (limits.parse("1/minute"),)}
    assert ask("GET", times=rate_limit.READING, settings=limit).status_code == 200
    assert ask("GET", times=rate_limit.READING + 1, settings=limit).status_code == 429
    for path in ("/health", "/metrics", "/assets/index-0a1b2c3d.js"):
        assert ask("GET", path, times=50, settings=limit).status_code == 200


@pytest.mark.parametrize("root", ["", "/fw"])
def test_what_is_not_counted_is_named_exactly(root):
    limit = {"rates": (limits.parse("1/minute"),), "root_path": root}
    for path in ("/health", "/metrics", "/assets/index-0a1b2c3d.js", "/favicon.ico"):
        assert ask("GET", root + path, times=50, settings=limit).status_code == 200
    for path in ("/healthy-nonsense", "/health/", "/metrics/x", "/favicon.ico.png", "/assets", "/assets/"):
        assert ask("GET", root + path, times=50, settings=limit).status_code == 429


def test_off_is_no_limit():
    assert ask(times=300, settings={"rates": ()}).status_code == 200


def whom(address: str, forwarded: str = "", proxies: int = 0) -> str:
    headers = {"x-forwarded-for": forwarded} if forwarded else {}
    return rate_limit.client_of({"client": (address, 5000)}, Headers(headers), proxies)


def test_the_client_is_the_socket_unless_a_proxy_is_trusted():
    assert whom("203.0.113.7") == "203.0.113.7"
    assert whom("203.0.113.7", "198.51.100.1") == "203.0.113.7"
    assert whom("10.0.0.1", "198.51.100.1", 1) == "198.51.100.1"


def test_what_a_client_writes_in_front_of_the_proxies_is_not_believed():
    assert whom("10.0.0.1", "1.1.1.1, 2.2.2.2, 198.51.100.1", 1) == "198.51.100.1"
    assert whom("10.0.0.1", "1.1.1.1, 198.51.100.1, 10.0.0.2", 2) == "198.51.100.1"
    assert whom("10.0.0.1", "198.51.100.1:443", 1) == "198.51.100.1"
    assert whom("10.0.0.1", "nonsense", 1) == "10.0.0.1"


def test_a_household_has_one_limit_however_many_addresses_it_has():
    assert whom("2001:db8:1:2::3") == whom("2001:db8:1:2:ffff::9") == "2001:db8:1:2::/64"
    assert whom("10.0.0.1", "[2001:db8:1:2::3]:443", 1) == "2001:db8:1:2::/64"
    assert whom("::ffff:203.0.113.7") == whom("203.0.113.7")
