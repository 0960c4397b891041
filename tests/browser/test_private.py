"""What the page keeps to itself in a browser.

That it asks no other host and works under its own policy is seen wherever `visit` is used.
"""

import time
from urllib.parse import urlsplit

import pytest

from app.ui.gradio_overrides import sessions
from tests import server

pytestmark = pytest.mark.browser


def test_a_script_in_the_page_cannot_send_anything_away(chromium):
    """Even code that got into the page: the policy leaves it nowhere to go."""
    url = server.start().url
    context = chromium.new_context()
    page = context.new_page()
    page.goto(url)
    blocked = page.evaluate(
        """async () => {
            const blocked = [];
            document.addEventListener("securitypolicyviolation", (event) => blocked.push(event.effectiveDirective));
            await fetch("https://198.51.100.1/").catch(() => {});
            new Image().src = "https://198.51.100.1/a.png";
            const script = document.createElement("script");
            script.src = "https://198.51.100.1/a.js";
            document.head.append(script);
            await new Promise((resolve) => setTimeout(resolve, 500));
            return blocked;
        }"""
    )
    context.close()
    assert {"connect-src", "img-src"} <= set(blocked) and any(name.startswith("script-src") for name in blocked)


def test_a_page_of_another_site_cannot_use_it(chromium):
    """A browser sends a form or a fetch from elsewhere, and both are refused."""
    port = urlsplit(server.start().url).port
    context = chromium.new_context()
    page = context.new_page()
    page.goto(f"http://localhost:{port}/health")
    answers = page.evaluate(
        """async (target) => {
            const form = new FormData();
            form.append("files", new Blob(["x"]), "a.png");
            const told = [];
            for (const mode of ["no-cors", "cors"])
                told.push(await fetch(target, {method: "POST", body: form, mode}).then((a) => a.type, () => "refused"));
            return told;
        }""",
        f"http://127.0.0.1:{port}/gradio_api/upload",
    )
    context.close()
    assert answers[1] == "refused", "another site's script read the answer"


def test_what_a_visitor_had_open_is_forgotten_after_the_page_is_closed(chromium, monkeypatch):
    running = server.start()
    opened = running.page.state_holder.session_data
    monkeypatch.setattr(sessions, "KEPT_CLOSED", 0)
    before = set(opened)
    context = chromium.new_context()
    page = context.new_page()
    page.goto(running.url)
    page.locator("#examples button").first.click()
    page.locator("#notice .fw-verdict").wait_for()
    (name,) = set(opened) - before

    page.wait_for_timeout(2000)
    assert sessions.size(opened[name]) > 0
    assert not any("data:image/jpeg" in str(value) for value in opened[name].config_values.values())
    context.close()
    until = time.monotonic() + 30
    while name in opened and time.monotonic() < until:
        time.sleep(0.1)
    assert name not in opened
