import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from app import main, theme

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def page():
    return main.build()


def test_only_the_endpoints_are_public(page):
    public = {event.api_name for event in page.fns.values() if event.api_visibility == "public"}
    assert public == {"detect", "predict", "keypoints", "explain", "trust", "compare", "lab"}


def test_the_page_names_no_other_host(page):
    sources = json.dumps(page.get_config_file(), default=str) + theme.build()._get_theme_css()
    sources += Path(main.__file__).with_name("page.css").read_text(encoding="utf-8")
    hosts = set(re.findall(r"https?://([\w.-]+)", sources)) - {"www.w3.org", "localhost"}
    assert hosts == set()


def test_the_queue_is_bounded_and_files_are_deleted(page):
    assert page.max_size_of_queue if hasattr(page, "max_size_of_queue") else page._queue.max_size == 40
    frequency, age = page.delete_cache
    assert frequency <= 600 and age <= 3600


@pytest.mark.parametrize("start", [["app/main.py"], ["-m", "app"]])
def test_every_way_to_start_finds_the_packages(start, tmp_path):
    script = (
        "import runpy, sys, types\n"
        "import gradio as gr\n"
        "gr.Blocks.launch = lambda self, **options: print('started', options['run_history'])\n"
        "gr.Blocks.block_thread = lambda self: None\n"
        f"sys.argv = {start!r}\n"
        f"sys.path[0] = {str(ROOT / 'app') if start[0] != '-m' else str(ROOT)!r}\n"
        + (
            f"runpy.run_path({str(ROOT / 'app/main.py')!r}, run_name='__main__')"
            if start[0] != "-m"
            else "runpy.run_module('app', run_name='__main__')"
        )
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert "started False" in done.stdout, done.stderr
