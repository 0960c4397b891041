"""The API tab and the pages of the description, in a browser."""

from urllib.parse import urlsplit

import pytest

from app.ui.snippets import LANGUAGES, ORIGIN, SNIPPETS
from tests import server
from tests.browser.conftest import Watch

pytestmark = pytest.mark.browser


def test_the_programs_name_the_visitors_own_address_and_fit(visit):
    page = visit(1280, 844)
    page.get_by_role("tab", name="API", exact=True).click()
    page.locator("#api-snippets code").first.wait_for()
    here = server.start().url.rstrip("/")
    page.wait_for_function("() => document.querySelector('#api-snippets code').textContent.includes(location.origin)")
    assert f"{here}/gradio_api/mcp/" in page.locator("#api-doors").inner_text()
    for width in (1280, 390):
        page.set_viewport_size({"width": width, "height": 844})
        for language in LANGUAGES:
            page.locator("#api-language").get_by_label(language).check()
            codes = page.locator("#api-snippets section:visible code")
            count = sum(snippet.language == language for snippet in SNIPPETS)
            shown = "[...document.querySelectorAll('#api-snippets section')].filter(each => !each.hidden)"
            page.wait_for_function(f"count => {shown}.length === count", arg=count)
            assert ORIGIN not in " ".join(codes.all_inner_texts()) and codes.count() == count
            assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize(("place", "seen"), [("docs", "#swagger-ui .opblock"), ("redoc", "redoc h1")])
def test_the_description_is_drawn_without_another_host(tab, place, seen):
    watch = Watch(tab)
    tab.goto(f"{server.start().url}{place}")
    tab.locator(seen).first.wait_for()
    tab.wait_for_load_state("networkidle")
    assert "FaceWhy" in tab.inner_text("body")
    assert watch.hosts <= {urlsplit(server.start().url).netloc, ""} and watch.complaints == []
