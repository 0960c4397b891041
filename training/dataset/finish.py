"""After a search: the glass box as a file, what was measured, and the charts."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import optuna

from models import card as cards
from models import geometry, glass_box, weight_store, zoo
from models.errors import WeightsError
from models.types import EMOTIONS
from training.dataset import attributions, charts, fit, readable
from training.dataset.candidates import GLASS_BOX, TITLES, Fitted
from training.dataset.table import FINAL, LEARN, Table
from training.measures import report

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

SHOWN = EMOTIONS.index("happy")
"""The emotion that the charts of single points show."""
LIMITS = (
    "It sees 15 points and nothing else: no lid, no wrinkle, no teeth.",
    "Its measures change with the pose of the head, and with faces as they are at rest.",
    "It learned from labels of which a third is disputed, on faces that were found by searching for names of emotions.",
    "How its errors differ between skin tones, ages and genders was not measured.",
)


def keep(
    table: Table, compared: dict[str, tuple[Fitted, Any]], folder: Path, version: str, data: str
) -> dict[str, Any]:
    """Write the glass box into `<folder>/geometry`; its card.

    Args:
        table: what it was fitted to.
        compared: see `fit.compare`.
        folder: of the study.
        version: of the model, such as "1.0.0".
        data: what the faces are, one line.
    """
    fitted, result = compared[GLASS_BOX]
    learned = table.of(LEARN)
    return readable.save(
        folder / glass_box.FOLDER,
        readable.model_json(fitted.model, learned.values),
        version=version,
        temperature=result["temperature"],
        metrics=result["metrics"],
        beside={
            name: {key: other["metrics"][FINAL][key] for key in ("accuracy", "macro_f1", "calibration_error")}
            for name, (_, other) in compared.items()
        },
        networks=networks(),
        data=[data],
        training={"faces": len(learned), "mirrored": True, "settings": result["settings"], "data": fit.digest(table)},
        licence="MIT",
        limits=list(LIMITS),
    )


def networks() -> dict[str, float]:
    """The accuracy of the shipped networks on FER2013's PrivateTest; none where their cards cannot be read."""
    found = {}
    for name in zoo.EMOTION_MODELS:
        try:
            found[name] = cards.read(weight_store.SHIPPED / name).metrics["PrivateTest"]["accuracy"]
        except (WeightsError, KeyError):
            continue
    return found


def draw(
    table: Table,
    study: optuna.Study,
    compared: dict[str, tuple[Fitted, Any]],
    curve: list[dict[str, Any]],
    folder: Path,
) -> str:
    """Write the charts into `<folder>/report`; why there are no pictures, or "".

    Args:
        table, study, compared: see `fit.compare`.
        curve: see `fit.learning_curve`.
        folder: of the study.
    """
    drawn = {"compared": charts.compared({name: result for name, (_, result) in compared.items()})}
    for name, (_, result) in compared.items():
        drawn |= {f"{name}_{kind}": figure for kind, figure in charts.of_model(result).items()}
    if curve:
        drawn["learning_curve"] = charts.learning_curve(curve)
    if table.names == geometry.COLUMNS:
        drawn |= _explained(table, compared, folder)
    return report.write(folder, drawn)


def _explained(table: Table, compared: dict[str, tuple[Fitted, Any]], folder: Path) -> dict[str, "Figure"]:
    learned, shown = table.of(LEARN), table.of(FINAL).rows(np.arange(min(attributions.MOST, len(table.of(FINAL)))))
    drawn, background = {}, learned.values[: attributions.MOST]
    if GLASS_BOX in compared:
        box = glass_box.load(folder / glass_box.FOLDER)
        drawn["curves"] = charts.curves(box)
        drawn |= _shap(attributions.of_glass_box(box, background, shown.values), shown, GLASS_BOX)
    if "boosting" in compared:
        drawn |= _shap(attributions.of_boosting(compared["boosting"][0], background, shown.values), shown, "boosting")
    return drawn


def _shap(values: np.ndarray, shown: Table, name: str) -> dict[str, "Figure"]:
    who, measured = TITLES[name], shown.values
    one = int(np.flatnonzero(shown.labels == SHOWN)[0]) if (shown.labels == SHOWN).any() else 0
    return {
        f"{name}_shap_bar": charts.shap_bar(values, who),
        f"{name}_shap_beeswarm": charts.shap_beeswarm(values, measured, SHOWN, who),
        f"{name}_shap_dependence": charts.shap_dependence(values, measured, SHOWN, who),
        f"{name}_shap_face": charts.shap_face(values[one], measured[one], SHOWN, who),
    }


def whole(
    table: Table,
    folder: Path,
    trials: int,
    names: tuple[str, ...],
    seed: int,
    version: str,
    data: str,
    mlflow: str | None = None,
    told: Callable[[str], None] = print,
) -> dict[str, Any]:
    """Search, compare, keep, draw and tell.

    Args:
        table: labelled faces, see `table.checked`.
        folder: where everything lands.
        trials, names, seed: see `fit.search`.
        version, data: see `keep`.
        mlflow: address of a tracking server, "local", or None for none.
        told: called with each line of progress.

    Returns:
        The figures of each model by name, the best first.
    """
    tracked = None
    if mlflow:
        from training.dataset.tracked import Tracked

        tracked = Tracked(mlflow, folder)
    study = fit.search(table, folder, trials, names, seed, told, tracked.trials if tracked else lambda study: None)
    compared = fit.compare(table, study, seed, told)
    curve = []
    if GLASS_BOX in compared:
        settings = compared[GLASS_BOX][1]["settings"]
        curve = fit.learning_curve(GLASS_BOX, settings | fit.QUICK, table, seed)
        card = keep(table, compared, folder, version, data)
        told(f"{folder / glass_box.FOLDER}: the glass box, {card['sha256'][:12]}")
    fit.write_results(folder, table, compared, curve)
    missing = draw(table, study, compared, curve, folder)
    told(f"Charts are in {folder / report.FOLDER}. {missing}".strip())
    results = {name: result for name, (_, result) in compared.items()}
    if tracked:
        told(f"MLflow has it as version {tracked.finish(study, results, version)}")
    return results
