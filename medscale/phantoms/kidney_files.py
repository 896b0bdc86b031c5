"""Demo patients with tumours of the kidney as files, in the layout of KiTS19."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from medscale.files.volumes import Volume, write_nifti
from medscale.phantoms.ct_canvas import FIELD_MM
from medscale.phantoms.kidneys import KidneyCase, draw_case, plan_case


def write_case(plan: KidneyCase, size_px: int, imaging: str | Path, segmentation: str | Path) -> None:
    """Draw a case, and write it as KiTS19 has it: slices along the first axis of the file."""
    for values, path in zip(draw_case(plan, size_px), (imaging, segmentation), strict=True):
        write_nifti(_place(values, plan, size_px), path)


def describe_cases(cases: Sequence[str], size_px: int, seed: int) -> list[dict[str, Any]]:
    """Return what KiTS19's `kits.json` says of cases: spacing in mm, the largest tumour's diameter in cm."""
    records = []
    for case in cases:
        plan = plan_case(case, size_px, seed)
        pixel_mm = FIELD_MM / size_px
        records.append(
            {
                "case_id": case,
                "radiographic_size": round(0.2 * max(tumour.radius for tumour in plan.tumours), 1),
                "voxel_spacing": {"x_spacing": pixel_mm, "y_spacing": pixel_mm, "z_spacing": plan.slice_mm},
            }
        )
    return records


def _place(values: np.ndarray, plan: KidneyCase, size_px: int) -> Volume:
    """Put slices, rows and columns around the origin of space, in KiTS19's axes or in upright ones."""
    pixel_mm = FIELD_MM / size_px
    slices, rows, columns = values.shape
    affine = np.zeros((4, 4))
    affine[[2, 1, 0, 3], range(4)] = -plan.slice_mm, -pixel_mm, -pixel_mm, 1
    affine[:3, 3] = (
        pixel_mm * (columns - 1) / 2,
        pixel_mm * (rows - 1) / 2,
        float(plan.heights_mm[0]),
    )
    if plan.form != "upright":
        return Volume(values, affine)
    # Axes in turned order, and slices from the feet up.
    turned = affine[:, [2, 1, 0, 3]]
    turned[:3, 3] = affine[:3] @ (slices - 1, 0, 0, 1)
    turned[2, 2] = plan.slice_mm
    return Volume(values[::-1].transpose(2, 1, 0), turned)
