"""The sheet of brain MR or breast ultrasound images."""

import argparse
import logging

from medscale.commands.options import add_class_shares


def add(commands) -> None:
    """Add `scan_sheet` to the commands."""
    parser = commands.add_parser("scan_sheet", help="write the sheet of brain MR or breast ultrasound images")
    parser.add_argument("folder", help="folder with yes/ and no/, or with benign/, malignant/ and normal/")
    parser.add_argument("--output", required=True, help="the sheet to write, such as scans.csv")
    parser.add_argument("--duplicates", metavar="FILE", help="also write the pairs of duplicates, as CSV")
    parser.add_argument(
        "--no-guard",
        action="store_true",
        help="draw single images, so that duplicates of a picture may lie in train and test",
    )
    add_class_shares(parser)
    parser.set_defaults(run=_run)


def _run(chosen: argparse.Namespace) -> None:
    from medscale.files.tables import write_table
    from medscale.scans.scan_sheet import divide_scans, survey_scans
    from medscale.scans.sheets import count_leaked

    scans, pairs = survey_scans(chosen.folder)
    shares = {"test_share": chosen.test_share, "validation_share": chosen.validation_share}
    sheet = divide_scans(scans, guard=not chosen.no_guard, **shares, seed=chosen.seed)
    write_table(sheet, chosen.output)
    if chosen.duplicates:
        write_table(pairs, chosen.duplicates)
    counts = sheet.groupby(["split", "class"]).agg(images=("image", "size"), groups=("group", "nunique"))
    logging.info("%s: %d images\n%s", chosen.output, len(sheet), counts.to_string())
    found = f"{len(pairs)} pairs of duplicates, {int(pairs['exact'].sum())} of them exact"
    logging.info("%s; %d test images have one in train", found, count_leaked(sheet))
