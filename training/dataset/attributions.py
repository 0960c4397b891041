"""What a model of the measures stands on: SHAP values, and a glass box's own terms."""

import numpy as np

from explain.methods import shap_package
from models.glass_box import GlassBox
from training.dataset.candidates import Fitted

MOST = 500
"""Faces that are explained, and faces that the explanation of a tree takes as its background."""


def of_boosting(fitted: Fitted, background: np.ndarray, values: np.ndarray) -> np.ndarray:
    """SHAP values of gradient boosting, by its trees (Lundberg et al. 2020, "From local explanations to global
    understanding with explainable AI for trees"), against a background of faces.

    Args:
        fitted: a candidate "boosting".
        background: float (M, F).
        values: float (N, F), the faces that are explained.

    Returns:
        float64 (N, F, 7): what each feature adds to each emotion's logit, against the mean over the background.
    """
    explainer = shap_package.load().TreeExplainer(
        fitted.model, background[:MOST], feature_perturbation="interventional"
    )
    return np.asarray(explainer.shap_values(values, check_additivity=False))


def of_glass_box(box: GlassBox, background: np.ndarray, values: np.ndarray) -> np.ndarray:
    """The same of a glass box, exactly: in a sum, the Shapley value of a term is what it adds less what it adds on
    average (Lundberg and Lee 2017, arXiv 1705.07874, corollary 1)."""
    return box.contributions(values) - box.contributions(background).mean(0)
