"""What an answer lets a browser do, and how long it may be kept."""

import base64
import hashlib

import limits
import pytest

from app.security import headers
from tests.app.security.small_app import PAGE, ask


def test_every_answer_tells_the_browser_to_stay_here():
    limit = {"rates": (limits.parse("1/minute"),)}
    for answer in (
        ask("GET", "/"),
        ask(),
        ask("GET", "/api/fail"),
        ask(times=2, settings=limit),
        ask("OPTIONS", "/predict"),
    ):
        policy = dict(part.split(" ", 1) for part in answer.headers["content-security-policy"].split("; "))
        assert policy["base-uri"] == policy["form-action"] == policy["frame-ancestors"] == "'self'"
        assert policy["default-src"] == policy["object-src"] == policy["script-src-attr"] == "'none'"
        assert policy["script-src"] == "'self' 'unsafe-eval'"
        assert not any("http" in sources or "*" in sources for sources in policy.values())
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert "camera=(self)" in answer.headers["permissions-policy"]
        assert answer.headers["cross-origin-opener-policy"] == "same-origin"


def test_the_scripts_in_a_page_run_and_no_others():
    """Hashes by sha256sum and base64 of what stands between the tags; a browser reads \\r\\n as \\n."""
    answer = ask("GET", "/api/page")
    assert answer.text == PAGE
    policy = answer.headers["content-security-policy"]
    scripts = next(part for part in policy.split("; ") if part.startswith("script-src ")).split()[1:]
    expected = [base64.b64encode(hashlib.sha256(text).digest()).decode() for text in (b"let a = 1", b"\nb()\n")]
    assert scripts == ["'self'", "'unsafe-eval'", *(f"'sha256-{each}'" for each in expected)]


def test_scripts_are_found_whatever_stands_around_them():
    """As an HTML parser finds them."""
    written = (
        b'<script>a</script><script data-src="b">c</script><script async\nSRC = "d"></script><SCRIPT\n>e<\r</SCRIPT>'
    )
    assert list(headers.inline_scripts(written)) == [b"a", b"c", b"e<\r"]
    for broken in (b"", b"<script", b"<script>", b"<script>a</scrip"):
        assert list(headers.inline_scripts(broken)) == []


@pytest.mark.parametrize("root", ["", "/fw"])
def test_only_shared_parts_of_the_page_are_kept(root):
    def kept(path: str) -> str | None:
        return ask("GET", root + path, settings={"root_path": root}).headers.get("cache-control")

    for path in ("/", "/predict", "/gradio_api/file=a.png", "/gradio_api/info", "/assets/", "/theme.css.map"):
        assert kept(path) == "no-store"
    assert "immutable" in kept("/assets/index-0a1b2c3d.js")
    for path in ("/static/logo.svg", "/favicon.ico", "/theme.css", "/gradio_api/theme.css", "/manifest.json"):
        assert kept(path) is None
