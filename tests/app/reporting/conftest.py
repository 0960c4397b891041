"""Reports on one face, made of what the pipeline computes."""

from datetime import date

import pytest

from app import pipeline, reporting
from explain.base import Target

DAY = date(2026, 11, 28)


@pytest.fixture(scope="session")
def make(astronaut):
    """A function of model, method, target and parameters that makes a report on the astronaut."""
    face = pipeline.faces_in(astronaut)[0]

    def report(model="cnn", method="saliency", target=None, tested=False, **params) -> reporting.Report:
        prediction = pipeline.predict(model, [face])[0]
        asked = target or Target(prediction.top)
        made = pipeline.explain(model, face, asked, method, params, prediction.version)
        trust = pipeline.trusted(face, made, prediction.version) if tested else None
        return reporting.report(astronaut, face, prediction, made, trust, DAY)

    return report


@pytest.fixture(scope="session")
def told(make) -> reporting.Report:
    """A report with all that it can have."""
    return make(method="shap_gradient", tested=True, samples=16)
