"""What the script of another site's page may read."""

import pytest

from tests.app.security.small_app import ask


@pytest.mark.parametrize("origins", [(), ("https://school.example",)])
def test_the_script_of_another_site_may_ask_first_so_that_it_can_read_the_refusal(origins):
    asking = {"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"}
    answer = ask(
        "OPTIONS", headers=asking | {"Access-Control-Request-Headers": "content-type"}, settings={"origins": origins}
    )
    assert answer.status_code == 204 and answer.headers["access-control-allow-origin"] == "https://evil.example"
    assert answer.headers["access-control-allow-headers"] == "content-type"
    assert "access-control-allow-credentials" not in answer.headers
    for origin in ("null", "http://face.example@evil.example"):
        assert "access-control-allow-origin" not in ask("OPTIONS", headers=asking | {"Origin": origin}).headers
