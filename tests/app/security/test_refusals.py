"""The shape of a refusal."""

from tests.app.security.small_app import ask


def test_the_page_of_gradio_finds_its_sentence():
    assert "detail" in ask(path="/gradio_api/proxy=x").json()
    assert "detail" not in ask(headers={"Origin": "null"}).json()
