"""Programs that ask FaceWhy, ready to be copied; a test runs each of them."""

from dataclasses import dataclass

ORIGIN = "http://localhost:7860"
"""Stands for the server's address; the page puts its own in its place."""
PICTURE, CLIP = "face.jpg", "face.mp4"
"""What the programs read, in the folder in which they run."""


@dataclass(frozen=True)
class Snippet:
    """A short program.

    Attributes:
        language: "Python", "JavaScript" or "curl".
        title: what it does.
        code: the program.
    """

    language: str
    title: str
    code: str


SNIPPETS = (
    Snippet(
        "Python",
        "What the models see, with httpx or requests",
        f"""\
import httpx

with open("{PICTURE}", "rb") as picture:
    answer = httpx.post("{ORIGIN}/predict", files={{"file": picture}}, timeout=60)
for said in answer.json()["faces"][0]["predictions"]:
    print(said["model"], said["emotion"], said["confidence"])
""",
    ),
    Snippet(
        "Python",
        "The same with Gradio's client",
        f"""\
from gradio_client import Client, handle_file

client = Client("{ORIGIN}/")
answer = client.predict(handle_file("{PICTURE}"), api_name="/predict")
for said in answer["faces"][0]["predictions"]:
    print(said["model"], said["emotion"], said["confidence"])
""",
    ),
    Snippet(
        "Python",
        "Why a model says so, as a picture",
        f"""\
import base64
import httpx

with open("{PICTURE}", "rb") as picture:
    image = base64.b64encode(picture.read()).decode()
asked = {{"image": image, "model": "resnet", "method": "gradcam", "maps": "png"}}
answer = httpx.post("{ORIGIN}/api/v1/explain", json=asked, timeout=60)
why = answer.json()["explanation"]
print(why["words"])
with open("why.png", "wb") as heatmap:
    heatmap.write(base64.b64decode(why["png"].partition(",")[2]))
""",
    ),
    Snippet(
        "Python",
        "Who is seen in a clip, and how the answers change",
        f"""\
import base64
import httpx

with open("{CLIP}", "rb") as clip:
    video = base64.b64encode(clip.read()).decode()
answer = httpx.post("{ORIGIN}/api/v1/video", json={{"video": video}}, timeout=300)
for person in answer.json()["persons"]:
    for moment in person["moments"]:
        print(person["person"], moment["seconds"], moment["emotion"], moment["confidence"])
""",
    ),
    Snippet(
        "JavaScript",
        "What the models see, in Node; in a page, take the file of an <input>",
        f"""\
import {{ readFile }} from "node:fs/promises";

const form = new FormData();
form.append("file", new Blob([await readFile("{PICTURE}")]));
const answer = await fetch("{ORIGIN}/predict", {{ method: "POST", body: form }});
for (const said of (await answer.json()).faces[0].predictions) {{
  console.log(said.model, said.emotion, said.confidence);
}}
""",
    ),
    Snippet(
        "JavaScript",
        "Which tests an explanation survives",
        f"""\
import {{ readFile }} from "node:fs/promises";

const image = (await readFile("{PICTURE}")).toString("base64");
const answer = await fetch("{ORIGIN}/api/v1/trust", {{
  method: "POST",
  headers: {{ "Content-Type": "application/json" }},
  body: JSON.stringify({{ image, model: "cnn", method: "saliency", maps: "none" }}),
}});
const {{ trust }} = await answer.json();
console.log(trust.verdict, trust.sentence);
""",
    ),
    Snippet("curl", "What the models see", f"curl -F file=@{PICTURE} {ORIGIN}/predict\n"),
    Snippet(
        "curl",
        "Several pictures at once",
        f"curl -F files=@{PICTURE} -F files=@{PICTURE} {ORIGIN}/predict/batch\n",
    ),
    Snippet(
        "curl",
        "Why a model says so",
        f"""\
printf '{{"image": "%s", "maps": "none"}}' "$(base64 < {PICTURE} | tr -d '\\n')" |
  curl -H "Content-Type: application/json" -d @- {ORIGIN}/api/v1/explain
""",
    ),
)
LANGUAGES = tuple(dict.fromkeys(snippet.language for snippet in SNIPPETS))
