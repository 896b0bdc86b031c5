"""Write demo slides in CAMELYON17's layout: pyramidal TIFF, ASAP XML and stage_labels.csv."""

from pathlib import Path
from xml.sax.saxutils import quoteattr

import cv2
import numpy as np
import pandas as pd
import tifffile

from medscale.files.atomic import atomic_path
from medscale.pathology.staging import stage_patient
from medscale.phantoms.slide_plan import SLIDE_UM_PX, SlidePlan
from medscale.phantoms.slide_stain import STAINS
from medscale.phantoms.slides import paint_slide

LEVELS = 4
TILE_PX = 256
UM_PER_CM = 1e4
COLOURS = {"metastases": "#F4FA58", "normal": "#64FE2E"}


def write_slide(plan: SlidePlan, path: str | Path) -> None:
    """Paint `plan` and write it as the tiled JPEG pyramid that OpenSlide calls generic-tiled-tiff.

    Level 0 has `SLIDE_UM_PX` µm per pixel; each of the three further levels is half as wide.
    """
    # One thread: the rule that calls this has one core.
    cv2.setNumThreads(1)
    write_pyramid(paint_slide(plan), path, SLIDE_UM_PX, STAINS[plan.centre].quality)


def write_pyramid(colour: np.ndarray, path: str | Path, um_px: float, quality: int) -> None:
    """Write `colour`, shape (rows, columns, 3), uint8, as a pyramid of `LEVELS` levels.

    Parameters
    ----------
    um_px : float
        Edge of one pixel of `colour` in µm.
    quality : int
        JPEG quality, 1 to 100.
    """
    with atomic_path(path) as temporary, tifffile.TiffWriter(temporary) as file:
        for level in range(LEVELS):
            if level:
                size = (colour.shape[1] // 2, colour.shape[0] // 2)
                colour = cv2.resize(colour, size, interpolation=cv2.INTER_AREA)
            pixels_per_cm = UM_PER_CM / (um_px * 2**level)
            file.write(
                colour,
                tile=(TILE_PX, TILE_PX),
                photometric="rgb",
                subsampling=(2, 2),
                compression="jpeg",
                compressionargs={"level": quality},
                resolution=(pixels_per_cm, pixels_per_cm),
                resolutionunit="CENTIMETER",
                subfiletype=1 if level else 0,
                metadata=None,
                software="medscale",
                maxworkers=1,
            )


def write_annotation(plan: SlidePlan, path: str | Path) -> None:
    """Write the lesions of `plan` as ASAP XML: group `metastases`, then its holes in group `normal`.

    Coordinates are x and y in pixels of level 0 (ASAP; CAMELYON17 `lesion_annotations`).
    """
    shapes = [("metastases", lesion.outline_um) for lesion in plan.lesions]
    shapes += [("normal", lesion.hole_um) for lesion in plan.lesions if lesion.hole_um is not None]
    lines = ['<?xml version="1.0"?>', "<ASAP_Annotations>", "\t<Annotations>"]
    for number, (group, outline_um) in enumerate(shapes):
        lines += _format_polygon(f"Annotation {number}", group, outline_um / SLIDE_UM_PX)
    lines += ["\t</Annotations>", "\t<AnnotationGroups>"]
    for group, colour in COLOURS.items():
        lines.append(f'\t\t<Group Name="{group}" PartOfGroup="None" Color="{colour}"><Attributes /></Group>')
    lines += ["\t</AnnotationGroups>", "</ASAP_Annotations>", ""]
    with atomic_path(path) as temporary:
        temporary.write_text("\n".join(lines), encoding="utf-8")


def _format_polygon(name: str, group: str, outline_px: np.ndarray) -> list[str]:
    head = f'Name={quoteattr(name)} Type="Polygon" PartOfGroup="{group}" Color="{COLOURS[group]}"'
    corners = [
        f'\t\t\t\t<Coordinate Order="{order}" X="{x:.1f}" Y="{y:.1f}" />'
        for order, (x, y) in enumerate(outline_px)
    ]
    return [
        f"\t\t<Annotation {head}>",
        "\t\t\t<Coordinates>",
        *corners,
        "\t\t\t</Coordinates>",
        "\t\t</Annotation>",
    ]


def write_stage_labels(sheet: pd.DataFrame, path: str | Path) -> None:
    """Write `stage_labels.csv` as CAMELYON17 has it: each patient's pN stage, then the classes of its slides.

    Parameters
    ----------
    sheet : DataFrame
        Columns slide, patient and label.
    """
    lines = ["patient,stage"]
    for patient, slides in sheet.sort_values("slide").groupby("patient"):
        lines.append(f"{patient}.zip,{stage_patient(list(slides['label']))}")
        lines += [
            f"{slide}.tif,{label}" for slide, label in zip(slides["slide"], slides["label"], strict=True)
        ]
    with atomic_path(path) as temporary:
        temporary.write_text("\n".join(lines) + "\n", encoding="utf-8")
