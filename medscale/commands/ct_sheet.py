"""The CT sheet of folders with DICOM and NIfTI files."""

import argparse
import logging

from medscale.commands.options import add_division, add_validation_share, split_pair


def add(commands) -> None:
    """Add `ct_sheet` to the commands."""
    parser = commands.add_parser("ct_sheet", help="write the CT sheet of folders with DICOM and NIfTI files")
    parser.add_argument("places", nargs="+", metavar="FOLDER|FILE", help="where CT images lie")
    parser.add_argument("--output", required=True, help="the sheet to write, such as ct_images.csv")
    add_division(parser, "train, validation or test")
    add_validation_share(parser)
    parser.set_defaults(run=_run)


def _run(chosen: argparse.Namespace) -> None:
    from medscale.files.tables import write_table
    from medscale.sparse_ct.ct_sheet import make_ct_sheet

    fixed = dict(split_pair(text) for text in chosen.split)
    shares = {"test_share": chosen.test_share, "validation_share": chosen.validation_share}
    sheet = make_ct_sheet(chosen.places, splits=fixed, **shares, seed=chosen.seed)
    write_table(sheet, chosen.output)
    counts = sheet.groupby("split").agg(patients=("patient", "nunique"), images=("image", "size"))
    logging.info("%s: %d images\n%s", chosen.output, len(sheet), counts.to_string())
