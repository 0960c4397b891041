"""The shape of a refusal."""

import pytest

from tests.app.security.small_app import ask


@pytest.mark.parametrize("root", ["", "/fw"])
def test_the_page_of_gradio_finds_its_sentence(root):
    assert "detail" in ask(path=root + "/gradio_api/proxy=x", settings={"root_path": root}).json()
    assert "detail" not in ask(path=root + "/predict", headers={"Origin": "null"}, settings={"root_path": root}).json()
