"""Labelled CT that is not KiTS19's, in its layout."""

import argparse
from pathlib import Path

from medscale.errors import InputError


def add(commands) -> None:
    """Add `kits19_case` to the commands."""
    parser = commands.add_parser("kits19_case", help="bring labelled CT that is not KiTS19's into its layout")
    parser.add_argument("imaging", help="the CT: a NIfTI file, or a folder with grey PNGs of its slices")
    parser.add_argument("segmentation", help="its labels: a NIfTI file, or PNGs of the same names")
    parser.add_argument(
        "--kidney", nargs="+", required=True, metavar="LABEL", help="labels: numbers, or R,G,B in PNGs"
    )
    parser.add_argument(
        "--tumour", nargs="+", default=[], metavar="LABEL", help="labels; all others are background"
    )
    parser.add_argument(
        "--window", nargs=2, type=float, metavar=("LOW", "HIGH"), help="HU of black and white in PNGs"
    )
    parser.add_argument(
        "--spacing",
        nargs=3,
        type=float,
        metavar=("SLICE", "ROW", "COLUMN"),
        help="mm between slices, rows and columns of PNGs (1 1 1)",
    )
    parser.add_argument("--output", required=True, help="the folder to write, such as cases/case_10036")
    parser.set_defaults(run=_run)


def _run(chosen: argparse.Namespace) -> None:
    from medscale.kits19.other_cases import make_case_from_pictures, make_case_from_volumes

    places = chosen.imaging, chosen.segmentation, chosen.output
    pictures = Path(chosen.imaging).is_dir()
    labels = {
        name: [_label(text, f"--{name}", 3 if pictures else 1) for text in getattr(chosen, name)]
        for name in ("kidney", "tumour")
    }
    if pictures and not chosen.window:
        mend = "Give the window that the pictures were made with, or that you take for it."
        raise InputError("--window", "none", "what black and white mean in HU: no PNG tells", mend)
    if not pictures and (chosen.window or chosen.spacing):
        found, expected = "--window or --spacing with a NIfTI file", "them with folders of PNGs alone"
        raise InputError(chosen.imaging, found, expected, "Leave them out: the file has its own.")
    if pictures:
        spacing_mm = tuple(chosen.spacing or (1.0, 1.0, 1.0))
        make_case_from_pictures(*places, **labels, window_hu=tuple(chosen.window), spacing_mm=spacing_mm)
    else:
        make_case_from_volumes(*places, **{name: [one for (one,) in own] for name, own in labels.items()})


def _label(text: str, option: str, numbers: int) -> tuple[int, ...]:
    """Return the whole number of a label, or the three of a colour."""
    parts = text.split(",")
    if len(parts) != numbers or not all(part.isdecimal() for part in parts):
        expected = "a number, such as 2" if numbers == 1 else "a colour, such as 0,0,255"
        raise InputError(option, repr(text), expected, "Correct the option.")
    return tuple(map(int, parts))
