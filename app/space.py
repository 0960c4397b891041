"""The hosted Space, described once in `Spacefile`; `python -m app.space` writes README's front matter from it."""

from pathlib import Path

import yaml

from models.errors import ParameterError

ROOT = Path(__file__).parents[1]
REQUIRED = ("title", "emoji", "colours", "description", "licence", "sdk", "sdk_version", "python", "start", "hardware")
FENCE = "---\n"


def read(path: str | Path = ROOT / "Spacefile") -> dict:
    """The settings in a `Spacefile`.

    Raises:
        ParameterError: not a YAML mapping, or a setting is missing.
    """
    try:
        settings = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        raise ParameterError("Spacefile is YAML", str(error)) from error
    missing = [key for key in REQUIRED if key not in settings] if isinstance(settings, dict) else REQUIRED
    if missing:
        raise ParameterError("Spacefile has every setting of a Space", f"no {', '.join(missing)}")
    return settings


def front_matter(settings: dict) -> str:
    """The YAML block at the top of a Space's README, fences included.

    Weights on the Hub are named so that the Space fetches them while it is built.
    """
    block = {
        "title": settings["title"],
        "emoji": settings["emoji"],
        "colorFrom": settings["colours"][0],
        "colorTo": settings["colours"][1],
        "sdk": settings["sdk"],
        "sdk_version": settings["sdk_version"],
        "python_version": settings["python"],
        "app_file": settings["start"],
        "suggested_hardware": settings["hardware"],
        "short_description": settings["description"],
        "license": settings["licence"],
    }
    hub = settings.get("hub") or {}
    if hub.get("repository"):
        from models.zoo import ARCHITECTURES

        files = ",".join(f"{name}/{file}" for name in ARCHITECTURES for file in ("card.json", "model.safetensors"))
        block["models"] = [hub["repository"]]
        block["preload_from_hub"] = [f"{hub['repository']} {files} {hub['revision']}"]
    return FENCE + yaml.safe_dump(block, sort_keys=False, allow_unicode=True, width=10_000) + FENCE


def with_front_matter(readme: str, block: str) -> str:
    """A README's text with its front matter replaced, or put in front where there is none."""
    if readme.startswith(FENCE):
        _, _, readme = readme.removeprefix(FENCE).partition(FENCE)
    return block + readme


def main() -> None:
    """Write the front matter into README.md and print it."""
    path = ROOT / "README.md"
    block = front_matter(read())
    path.write_text(with_front_matter(path.read_text(encoding="utf-8"), block), encoding="utf-8")
    print(block, end="")


if __name__ == "__main__":
    main()
