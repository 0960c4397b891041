"""The data card of a dataset: what it is, how it came about, what it holds, and what it does not say."""

from collections.abc import Mapping
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from models import dataset
from models.dataset import Dataset
from models.types import EMOTIONS

FRONT = """---
configs:
- config_name: faces
  data_files: faces/*.parquet
  default: true
- config_name: photos
  data_files: photos/*.parquet
---
"""
LIMITS = """
- An emotion here is the expression label that three networks expect of people who look at a cropped grey face. What
  somebody feels does not show in it: context, culture, mixed expressions and the forced choice of seven are left out
  (Barrett et al. 2019, doi 10.1177/1529100619832930).
- The labels are the networks', not people's, unless the column `label` says what the source named. A model that learns
  from them learns the networks' errors.
- The detector misses faces, and about one picture in eighteen without a human face gets a false one.
- `yaw` and `roll` are estimates from points, good for putting faces in order.
- Faces are of people. Whether they may be used, and for what, is for the source's licence and the law of the place: in
  the European Union, inferring emotions at work and in education is prohibited (Regulation 2024/1689, Article 5).
"""


def write(made: Dataset) -> None:
    """Write README.md into the dataset's folder, from what lies there now.

    Raises:
        DatasetError, OSError: a part cannot be read, or the file not be written.
    """
    dataset.write_text(made.folder / dataset.CARD_FILE, text(made))


def text(made: Dataset) -> str:
    """The card, in Markdown."""
    rows, facts = made.rows, made.facts
    sources = "\n".join(f"- `{source}`" for source in facts.get("sources", []))
    weights = "\n".join(f"| {name} | {version} |" for name, version in facts.get("models", {}).items())
    return f"""{FRONT}# {made.folder.resolve().name}: faces and what FaceWhy reads in them

{rows["photos"]:,} photos with {rows["faces"]:,} faces. Not read: {rows["errors"]:,} photos, see `errors`.

## Where it comes from

{sources}

Begun {facts.get("begun", "at an unknown time")}, last written {facts.get("ended", "by a run that has not ended")}.
Commit {facts.get("git_commit", "unknown")}. {_how(facts.get("options", {}))}

| network | version and sha256 of its weights |
|---|---|
{weights}

## What it holds

{_counts(made)}

## What it does not say
{LIMITS}
## Columns

The same stands in `schema.json`. Unknown values are null.
{"".join(_columns(made, table) for table in dataset.TABLES)}"""


def _how(options: Mapping[str, Any]) -> str:
    looked = (
        "Every picture was taken as a face that is cut already."
        if options.get("aligned")
        else "Faces were looked for by the detector."
    )
    kept = (
        "Each face is kept as the networks see it, in `crop`; no photo is."
        if options.get("crops")
        else "No picture and no part of one is kept."
    )
    foreign = options.get("foreign")
    beside = (
        f" The columns `{foreign}_…` are what {foreign} says; FaceWhy estimates neither age nor gender."
        if foreign
        else ""
    )
    return f"{looked} {kept}{beside}"


def _counts(made: Dataset) -> str:
    faces = made.read("faces", ["emotion", "label"])
    labelled = faces.num_rows - faces["label"].null_count
    said, named = _tally(faces["emotion"]), _tally(faces["label"])
    names = [*EMOTIONS, *sorted(set(named) - set(EMOTIONS))]
    lines = ["| emotion | dominant |", "|---|---|", *(f"| {name} | {said.get(name, 0):,} |" for name in names)]
    if labelled:
        more = [" label |", "---|", *(f" {named.get(name, 0):,} |" for name in names)]
        lines = [line + cell for line, cell in zip(lines, more, strict=True)]
    return "\n".join(lines)


def _tally(values: pa.ChunkedArray) -> dict[str, int]:
    counted = pc.value_counts(values.drop_null())
    return {row["values"]: row["counts"] for row in counted.to_pylist()}


def _columns(made: Dataset, table: str) -> str:
    head = f"\n### {table}\n\n| column | type | unit | meaning |\n|---|---|---|---|\n"
    return head + "".join(
        f"| `{each['name']}` | {each['type']} | {each['unit']} | {each['description']} |\n"
        for each in dataset.described(made, table)
    )
