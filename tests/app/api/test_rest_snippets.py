"""The programs of the API tab, run as they are against a server."""

import os
import shutil
import subprocess
import sys

import pytest
from PIL import Image

from app.ui.render.html import fill
from app.ui.snippets import CLIP, ORIGIN, PICTURE, SNIPPETS
from app.ui.tabs import api
from models import photo, zoo
from models.types import EMOTIONS
from tests.app.api.conftest import EXAMPLES
from tests.app.test_clips import film

RUN = {
    "Python": (sys.executable, "program.py"),
    "JavaScript": ("node", "program.mjs"),
    "curl": ("sh", "program.sh"),
}


@pytest.mark.parametrize("snippet", SNIPPETS, ids=lambda snippet: f"{snippet.language}: {snippet.title}")
def test_a_program_that_visitors_copy_runs(url, tmp_path, snippet):
    command, name = RUN[snippet.language]
    if snippet.language != "Python" and not shutil.which(snippet.language.replace("JavaScript", "node")):
        pytest.skip(f"{command} is not installed")
    assert ORIGIN in snippet.code
    shutil.copy(EXAMPLES / "astronaut.jpg", tmp_path / PICTURE)
    if CLIP in snippet.code:
        film(tmp_path / CLIP, photo.read(EXAMPLES / "astronaut.jpg").pixels, count=3)
    (tmp_path / name).write_text(snippet.code.replace(ORIGIN, url.rstrip("/")))
    done = subprocess.run(
        [command, name], cwd=tmp_path, env=os.environ | {"NO_PROXY": "*"}, capture_output=True, text=True, timeout=100
    )
    assert done.returncode == 0, done.stderr
    assert '"error"' not in done.stdout and any(word in done.stdout for word in (*EMOTIONS, "map"))
    if "/predict" in snippet.code:
        assert all(model in done.stdout for model in zoo.EMOTION_MODELS)
    if "why.png" in snippet.code:
        with Image.open(tmp_path / "why.png") as heatmap:
            assert heatmap.size == (384, 384)


def test_the_tab_shows_every_program_and_leads_to_every_description():
    shown = api.snippets()
    assert shown.count("<section") == len(SNIPPETS) and shown.count(" hidden>") == sum(
        snippet.language != "Python" for snippet in SNIPPETS
    )
    intro = fill("api_intro", origin=ORIGIN)
    assert all(place in intro for place in ('href="docs"', 'href="gradio_api/info"', f"{ORIGIN}/gradio_api/mcp/"))
    assert "<input>" not in shown and "&lt;input&gt;" in shown
