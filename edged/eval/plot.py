"""Draws what thresholds cost and how reliable the confidence is, as an SVG that comes out the same each time."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any, Final

from edged.errors import UsageError
from edged.eval.calibrate import Calibration
from edged.eval.report import Report
from edged.models.record import write_atomically

_STYLE: Final = {"svg.hashsalt": "edged", "svg.fonttype": "none", "font.family": "sans-serif", "font.size": 9.0}
"""Names of parts that do not change, and text as text."""
_NO_DATE: Final = {"Date": None, "Creator": None}


def find_matplotlib() -> Any:  # noqa: ANN401 - an untyped library
    """The library that draws.

    Raises:
        UsageError: it is not installed.
    """
    try:
        import matplotlib as mpl
    except ImportError as error:
        raise UsageError("a picture needs matplotlib", remedy="pip install 'edged[train]', or leave --plot") from error
    return mpl


def draw(path: Path, report: Report) -> None:
    """Writes the picture.

    Raises:
        UsageError: matplotlib is missing, or the file cannot be written.
    """
    mpl = find_matplotlib()
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    written = io.BytesIO()
    with mpl.rc_context(_STYLE):
        figure = Figure(figsize=(9, 3.8), layout="constrained")
        left, right = figure.subplots(1, 2)
        _draw_costs(left, report)
        _draw_reliability(right, report.calibration)
        FigureCanvasSVG(figure).print_svg(written, metadata=_NO_DATE)
    try:
        write_atomically(path, written.getvalue())
    except OSError as error:
        raise UsageError(
            f"cannot be written: {error.strerror}", where=str(path), remedy="give another file with --plot"
        ) from error


def _draw_costs(axes: Any, report: Report) -> None:  # noqa: ANN401 - matplotlib's
    thresholds = [point.min_confidence for point in report.points]
    curves = [
        ("wrongly refused, % of commands", [point.wrongly_refused_share for point in report.points]),
        ("wrongly accepted, % of sentences", [point.wrongly_accepted_share for point in report.points]),
    ]
    if report.talk is not None:
        curves.append(("talk taken for commands, %", [point.wrongly_accepted_share for point in report.talk_points]))
    for label, shares in curves:
        axes.plot(thresholds, [100 * share for share in shares], label=label)
    axes.axvline(report.min_confidence, color="0.6", linestyle=":", label=f"threshold {report.min_confidence:g}")
    axes.set(xlabel="min_confidence", xlim=(0, 1), title="What a threshold costs")
    axes.set_ylim(bottom=0)
    axes.legend()


def _draw_reliability(axes: Any, calibration: Calibration | None) -> None:  # noqa: ANN401 - matplotlib's
    axes.plot([0, 1], [0, 1], color="0.6", linestyle=":", label="as it should be")
    if calibration is not None:
        axes.plot(
            [row.confidence for row in calibration.bins], [row.right for row in calibration.bins], marker="o",
            label=f"{calibration.answers} answers, error {calibration.error:.3f}",
        )  # fmt: skip
    axes.set(xlabel="confidence", ylabel="share of right answers", xlim=(0, 1), ylim=(0, 1.02), title="Reliability")
    axes.legend()
