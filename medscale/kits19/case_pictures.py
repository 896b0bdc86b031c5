"""Pictures of test cases: what each network finds, and a tumour that only one of two finds."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from medscale.errors import InputError
from medscale.files.pictures import draw_note
from medscale.kits19.cases import check_same_place, read_case, read_segmentation
from medscale.kits19.segmentation_figure import draw_segmentations
from medscale.kits19.slice_choice import (
    RULE,
    TUMOUR,
    MissedTumour,
    choose_missed,
    rate_slices,
    spread_slices,
)

TRUTH = "truth"
# The thesis's Figure 5.7 shows the two slices before the one in which the tumour is lost.
SLICES_BEFORE = 2


@dataclass(frozen=True)
class CaseFiles:
    """Files of one test case.

    Attributes
    ----------
    case : str
    imaging, segmentation : str or Path
    predictions : mapping of str to path
        By the name of the network.
    """

    case: str
    imaging: str | Path
    segmentation: str | Path
    predictions: Mapping[str, str | Path]

    def only(self, *networks: str) -> "CaseFiles":
        """Return the same case with the predictions of these networks alone, in this order."""
        return replace(self, predictions={name: self.predictions[name] for name in networks})


def gather_cases(
    cases: Sequence[str],
    imaging: Sequence[str | Path],
    segmentations: Sequence[str | Path],
    networks: Sequence[str],
    predictions: Sequence[str | Path],
) -> list[CaseFiles]:
    """Return the files of each case.

    Parameters
    ----------
    cases, imaging, segmentations
        Names and files, in the same order.
    networks : sequence of str
    predictions : sequence of str or Path
        Those of the first network for all cases, then those of the next.
    """
    rows = [predictions[first :: len(cases)] for first in range(len(cases))]
    columns = zip(cases, imaging, segmentations, rows, strict=True)
    return [CaseFiles(*own, dict(zip(networks, paths, strict=True))) for *own, paths in columns]


def draw_case(files: CaseFiles, window_hu: tuple[float, float], slices: int = 4) -> Figure:
    """Draw slices of a case with its true outlines and those of every network.

    The slices are spread evenly over those with tumour, or over those with kidney if there is no tumour.
    """
    truth = read_segmentation(files.segmentation)[0]
    shown = spread_slices(truth, slices)
    what = "tumour" if (truth == TUMOUR).any() else "kidney"
    caption = f"Test case {files.case}: slices spread evenly over those with {what}. {_window(window_hu)}"
    return _draw(files, shown, window_hu, caption)


def draw_missed_tumour(cases: Sequence[CaseFiles], window_hu: tuple[float, float]) -> Figure:
    """Draw a tumour that the first of two networks loses and the second keeps, as the thesis's Figure 5.7.

    Parameters
    ----------
    cases : sequence of CaseFiles
        Each with the same two networks: the one that should lose the tumour, and the one that should keep it.
        Where none has a tumour, the figure only says so.

    Raises
    ------
    InputError
        If there are not two networks.
    """
    names = list(cases[0].predictions) if cases else []
    if len(names) != 2 or any(list(files.predictions) != names for files in cases):
        raise InputError(
            "figure of a missed tumour", f"the networks {names}", "the same two in each case", ""
        )
    chosen = choose_missed(one for files in cases for one in _rate(files))
    if chosen is None:
        return draw_note("No test case has a tumour.")
    files = next(files for files in cases if files.case == chosen.case)
    first = max(0, chosen.slice - SLICES_BEFORE)
    caption = f"{_explain(chosen, *names)} {_window(window_hu)}"
    return _draw(files, list(range(first, chosen.slice + 1)), window_hu, caption)


def _explain(chosen: MissedTumour, lost: str, kept: str) -> str:
    found = (
        f"Last column: slice {chosen.slice} of {chosen.case}, {chosen.area_mm2:.0f} mm² of tumour, "
        f"Dice {chosen.lost_dice:.2f} ({lost}) and {chosen.kept_dice:.2f} ({kept})."
    )
    if chosen.is_missed:
        return f"{found} {RULE}"
    return (
        f"No test slice has a tumour that {lost} loses and {kept} keeps by the rule: {RULE} "
        f"Shown instead is where the second is furthest ahead. {found}"
    )


def _rate(files: CaseFiles) -> list[MissedTumour]:
    truth, grid = read_segmentation(files.segmentation)
    lost, kept = (read_segmentation(path)[0] for path in files.predictions.values())
    return rate_slices(files.case, truth, lost, kept, grid.spacing_mm[1] * grid.spacing_mm[2])


def _draw(files: CaseFiles, shown: Sequence[int], window_hu: tuple[float, float], caption: str) -> Figure:
    for path in files.predictions.values():
        check_same_place(files.imaging, path)
    case = read_case(files.imaging, files.segmentation)
    rows = {TRUTH: [np.ascontiguousarray(case.labels[number]) for number in shown]}
    for name, path in files.predictions.items():
        labels = read_segmentation(path)[0]
        rows[name] = [np.ascontiguousarray(labels[number]) for number in shown]
    notes = {name: [_note(*pair) for pair in zip(rows[TRUTH], rows[name], strict=True)] for name in rows}
    notes[TRUTH] = [""] * len(shown)
    images = [np.asarray(case.hu[number], float) for number in shown]
    return draw_segmentations(images, rows, [f"slice {n}" for n in shown], window_hu, caption, notes)


def _note(truth: np.ndarray, prediction: np.ndarray) -> str:
    """Return Dice of the tumour in a slice, if there is any."""
    masks = truth == TUMOUR, prediction == TUMOUR
    size = masks[0].sum() + masks[1].sum()
    return f"tumour {2 * (masks[0] & masks[1]).sum() / size:.2f}" if size else ""


def _window(window_hu: tuple[float, float]) -> str:
    grey = f"Grey: {window_hu[0]:g} to {window_hu[1]:g} HU."
    return f"Written into the pictures: Dice of the slice's tumour. {grey}"
