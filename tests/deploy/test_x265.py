"""pillow-heif as the image holds it: x265 is not there, and HEIC is read all the same."""

import re
import shutil
import subprocess
import sys
from importlib.metadata import distribution
from pathlib import Path

import pillow_heif
import pytest
from PIL import Image

from tests.deploy.test_image import EVERY, ROOT, STEPS

READ = """
import io, sys
import pillow_heif
from models import photo

assert pillow_heif.__file__.startswith(sys.argv[1]), pillow_heif.__file__
print(*photo.read(sys.argv[2]).pixels[20, 30])
try:
    pillow_heif.from_pillow(photo.Image.new("RGB", (64, 48))).save(io.BytesIO())
    print("written")
except RuntimeError as error:
    print(error)
"""


@pytest.fixture(scope="module")
def without(tmp_path_factory) -> Path:
    """A folder with pillow-heif, in which the stand-in lies in x265's place, made by the Dockerfile's own command."""
    (command,) = [step.value for step in EVERY if "no_x265.c" in step.value and " gcc " in step.value]
    gcc, *options = re.sub(r"^--mount=\S+ ", "", command).split()
    if not sys.platform.startswith("linux") or shutil.which(gcc) is None:
        pytest.skip("needs Linux and gcc, as the image's build does")
    folder = tmp_path_factory.mktemp("image")
    found = distribution("pillow-heif")
    for file in found.files:
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(found.locate_file(file), folder / file)
    (real,) = (folder / "pillow_heif.libs").glob("libx265-*")
    places = {"/no_x265.c": str(ROOT / "deploy/no_x265.c"), "/no_x265.so": str(real)}
    subprocess.run([gcc, *[places.get(option, option) for option in options]], check=True)
    return folder


def test_heic_is_read_and_not_written(without, tmp_path):
    picture = tmp_path / "picture.heic"
    pillow_heif.from_pillow(Image.new("RGB", (64, 48), (200, 30, 60))).save(picture, quality=95)
    command = [sys.executable, "-c", READ, str(without), str(picture)]
    done = subprocess.run(command, cwd=ROOT, env={"PYTHONPATH": f"{without}:{ROOT}"}, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    colour, said = done.stdout.splitlines()
    assert all(abs(int(value) - expected) <= 4 for value, expected in zip(colour.split(), (200, 30, 60), strict=True))
    assert "x265" in said and "written" not in said


def test_nothing_of_x265_is_left(without):
    libraries = sorted((without / "pillow_heif.libs").iterdir(), key=lambda path: path.stat().st_size)
    (stand_in,) = [path for path in libraries if path.name.startswith("libx265")]
    assert stand_in.stat().st_size < 50_000
    whole = distribution("pillow-heif").locate_file("pillow_heif.libs") / stand_in.name
    assert whole.stat().st_size > 1_000_000 and b"x265_encoder_encode" in whole.read_bytes()
    assert b"x265_encoder_encode" not in stand_in.read_bytes()


def test_the_image_puts_the_stand_in_where_pip_put_x265_in_the_same_layer():
    (step,) = [step.value for step in STEPS if "pip install" in step.value]
    assert "from=stand-in,source=/no_x265.so" in step
    assert 'cp /no_x265.so "$(ls /usr/local/lib/python3*/site-packages/pillow_heif.libs/libx265-*)"' in step
    assert step.endswith('python -c "import pillow_heif"')
