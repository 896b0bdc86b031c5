"""The slide sheet of a CAMELYON17 folder."""

import argparse
import logging

from medscale.commands.options import add_division, split_pair


def add(commands) -> None:
    """Add `camelyon17` to the commands."""
    parser = commands.add_parser("camelyon17", help="write the slide sheet of a CAMELYON17 folder")
    parser.add_argument("folder", help="folder with slides, annotations and the label file")
    parser.add_argument("--output", required=True, help="the sheet to write, such as slides.csv")
    add_division(parser, "train_network, train_staging or test")
    parser.set_defaults(run=_run)


def _run(chosen: argparse.Namespace) -> None:
    from medscale.pathology.camelyon17 import (
        find_label_file,
        make_camelyon17_sheet,
        write_sheet_with_labels_digest,
    )

    fixed = dict(split_pair(text) for text in chosen.split)
    sheet = make_camelyon17_sheet(chosen.folder, splits=fixed, test_share=chosen.test_share, seed=chosen.seed)
    write_sheet_with_labels_digest(sheet, chosen.output, find_label_file(chosen.folder))
    counts = sheet.groupby("split").agg(patients=("patient", "nunique"), slides=("slide", "size"))
    counts["annotated"] = (sheet["annotation"] != "").groupby(sheet["split"]).sum()
    logging.info("%s: %d slides\n%s", chosen.output, len(sheet), counts.to_string())
