"""What travels compressed."""

from tests.app.security.small_app import LONG, PAGE, ask


def test_what_is_long_and_no_secret_is_compressed_for_who_accepts_it():
    plain, packed = (ask("GET", "/config", headers={"Accept-Encoding": each}) for each in ("identity", "gzip, br"))
    assert packed.headers["content-encoding"] == "gzip" and "content-encoding" not in plain.headers
    assert packed.text == plain.text == PAGE + LONG
    assert int(packed.headers["content-length"]) * 10 < int(plain.headers["content-length"])
    assert packed.headers["content-security-policy"] == plain.headers["content-security-policy"]
    assert "sha256-" in packed.headers["content-security-policy"]
    assert packed.headers["vary"] == plain.headers["vary"] == "Origin, Accept-Encoding"
    assert "content-encoding" not in ask("GET", "/api/long", headers={"Accept-Encoding": "gzip"}).headers
