"""What the tab Data tells in words and tables."""

import base64
from collections.abc import Mapping, Sequence

import numpy as np
from markupsafe import Markup

from app import text
from app.data.accuracy import Rate
from app.data.terms import Terms
from app.data.view import About, Example, Geometry, Plane, Summary
from app.ui.render import data_charts
from app.ui.render.html import fill, note
from models import geometry as measured
from models.types import EMOTIONS

NUMBERS = {"brightness": "{:.2f}", "sharpness": "{:.2f}", "yaw": "{:.0f}°", "size": "{:.0f} px"}
"""How the measures of an example are written."""


def about(told: About) -> Markup:
    """What the dataset is."""
    return fill(
        "data_about", about=told, networks=text.listed([f"{text.MODELS[n]} {v}" for n, v in told.networks.items()])
    )


def lead(told: Summary) -> Markup:
    """The most important numbers as sentences."""
    if not told.faces:
        return note("No face passes these filters: make them wider.")
    who = "The mean of the networks" if told.filters.network == "mean" else text.MODELS[told.filters.network]
    rate, agreement = told.rates[told.filters.network], told.agreement
    part = "" if told.faces == told.about.faces else f" of {told.about.faces:,}"
    said = [f"{told.faces:,}{part} faces." if told.faces > 1 else f"One face{part}."]
    if rate.faces:
        said.append(f"{who} names the label on {interval(rate)}.")
    if agreement:
        said.append(
            f"All networks name the same emotion on {text.share(agreement.all_same / told.faces)} of the faces."
        )
        same, differ = agreement.right_same, agreement.right_differ
        if same and differ and same.faces and differ.faces:
            there, elsewhere = (text.share(each.right / each.faces) for each in (same, differ))
            said.append(f"Where they do, it is right on {there}, elsewhere on {elsewhere}.")
    return fill("data_lead", said=" ".join(said))


def interval(rate: Rate) -> str:
    """A share with the ends of its interval."""
    low, high = (text.share(end, 1) for end in (rate.low, rate.high))
    return f"{text.share(rate.share or 0, 1)} ({low} to {high} with 95\u00a0% confidence)"


def tables(told: Summary) -> Markup:
    """How often each network is right, and how often each two agree."""
    rates = [
        (
            text.ALL[name],
            rate.faces,
            rate.right,
            text.share(rate.share, 1),
            f"{text.share(rate.low, 1)} to {text.share(rate.high, 1)}",
        )
        for name, rate in told.rates.items()
        if rate.share is not None
    ]
    pairs = [
        (
            f"{text.MODELS[pair.first]} and {text.MODELS[pair.second]}",
            text.share(pair.same / told.faces, 1),
            "" if pair.kappa is None else f"{pair.kappa:.2f}",
        )
        for pair in (told.agreement.pairs if told.agreement and told.faces else ())
    ]
    return fill("data_tables", rates=rates, pairs=pairs)


def same_for_all(told: Summary) -> Markup:
    """Of which measures no chart is drawn, because all faces have the same value."""
    alone = [
        f"{data_charts.MEASURES[name][0]} ({NUMBERS[name].format(bins[0].least)})"
        for name, bins in told.by_measure.items()
        if len(bins) == 1
    ]
    return note(f"All of these faces have the same {text.listed(alone)}.", quiet=True) if alone else Markup("")


def faces(title: str, about: str, found: Sequence[Example], names: Sequence[str]) -> Markup:
    """Faces to look at, a row each; with pictures where the dataset holds them."""
    if not found:
        return Markup("")
    shown = [name for name in NUMBERS if len({each.measures.get(name) for each in found} | {None}) > 2]
    rows = [
        {
            "picture": each.crop and f"data:image/png;base64,{base64.b64encode(each.crop).decode()}",
            "name": f"{each.photo}, face {each.number + 1}",
            "label": each.label,
            "answers": [_answer(each.answers, name) for name in names],
            "measures": [_measure(each.measures, name) for name in shown],
        }
        for each in found
    ]
    heads = [text.ALL[name] for name in names]
    labels = any(row["label"] for row in rows)
    measures = [data_charts.MEASURES[name][0] for name in shown]
    return fill(
        "data_faces",
        title=title,
        about=about,
        rows=rows,
        heads=heads,
        measures=measures,
        labels=labels,
    )


def geometry(found: Geometry, about: str) -> Markup:
    """Which measures of the face go along with which answer, a row a measure."""
    labels = {each.name: f"{each.label}: {each.up}" for each in measured.MEASURES}
    rows = [
        (labels.get(name, name), [(f"{value:+.2f}".replace("-", "\u2212"), _tint(value)) for value in row])
        for name, row in zip(found.measures, found.correlations.tolist(), strict=True)
    ]
    return fill("data_geometry", about=about, heads=EMOTIONS, rows=rows)


def terms(found: Terms, of: int) -> Markup:
    """What the charts of the glass box's terms show, and over how many faces."""
    every = len(found.values) == found.faces
    strongest = np.argsort(-found.strengths[:, of], kind="stable")[:3]
    return fill(
        "data_terms",
        emotion=EMOTIONS[of],
        faces=f"{found.faces:,} faces" if found.faces > 1 else "one face",
        background=found.background,
        dots="these faces" if every else f"{len(found.values)} of these faces, drawn by chance",
        strongest=text.listed([measured.MEASURES[index].label for index in strongest]),
    )


def _tint(value: float) -> str:
    """Red where a correlation is positive, blue where it is negative, as strong as it is."""
    strength = 0.0 if value != value else min(0.8, abs(value))
    return f"rgba({'229, 120, 84' if value > 0 else '90, 154, 216'}, {strength:.2f})"


def plane_note(drawn: Plane) -> Markup:
    """How the map was drawn, and how many faces are on it."""
    how = data_charts.METHODS[drawn.method]
    shown = (
        f"{len(drawn.places):,} of {drawn.faces:,} faces, drawn by chance"
        if len(drawn.places) < drawn.faces
        else f"{drawn.faces:,} faces"
    )
    held = text.listed([text.share(share) for share in drawn.explained])
    axes = f" The axes hold {held} of the variance." if held else ""
    return note(
        f"{shown}, placed by {how}.{axes} Only which faces are close means something, not where up or left is.",
        quiet=True,
    )


def _answer(answers: Mapping[str, tuple[str, float]], name: str) -> str:
    emotion, confidence = answers[name]
    return f"{emotion} {text.percent(confidence)}"


def _measure(measures: Mapping[str, float | None], name: str) -> str:
    value = measures.get(name)
    return "" if value is None else NUMBERS[name].format(value).replace("-", "\u2212")
