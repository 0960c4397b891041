"""The charts beside a model's card, dressed for the page."""

import logging
from typing import TYPE_CHECKING, Any

from app.ui import theme

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

log = logging.getLogger(__name__)

LINES = "rgba(128, 132, 128, 0.22)"


def charts(written: dict[str, dict[str, Any]]) -> dict[str, "Figure"]:
    """The charts beside a card, see `app.serving.reports.ModelReport`, dressed for the page.

    One that Plotly cannot draw takes only itself away.
    """
    import plotly.graph_objects as go

    found = {}
    for name, values in written.items():
        try:
            found[name] = dressed(go.Figure(values))
        except (ValueError, TypeError, AttributeError) as error:
            log.warning("the chart %s is no chart: %s", name, str(error).splitlines()[0])
    return found


def dressed(figure: "Figure") -> "Figure":
    """A chart without a background of its own; `page.css` colours its text for the light and the dark."""
    return (
        figure.update_layout(
            paper_bgcolor="rgba(0,0,0,0)",
            plot_bgcolor="rgba(0,0,0,0)",
            font={"family": ", ".join(theme.BODY)},
            dragmode=False,
        )
        .update_xaxes(gridcolor=LINES)
        .update_yaxes(gridcolor=LINES)
    )
