"""The case sheet of a KiTS19 folder."""

import argparse
import logging

from medscale.commands.options import add_division, add_validation_share, split_pair


def add(commands) -> None:
    """Add `kits19_sheet` to the commands."""
    parser = commands.add_parser("kits19_sheet", help="write the case sheet of a KiTS19 folder")
    parser.add_argument("folder", help="folder with case_00000 and so on, and kits.json")
    parser.add_argument("--output", required=True, help="the sheet to write, such as cases.csv")
    parser.add_argument(
        "--thesis-split",
        action="store_true",
        help="train on cases 0-119 and 140-199, validate on 120-139, test on 200-209",
    )
    add_division(parser, "train, validation or test")
    add_validation_share(parser)
    parser.set_defaults(run=_run)


def _run(chosen: argparse.Namespace) -> None:
    from medscale.files.tables import write_table
    from medscale.kits19.case_sheet import make_case_sheet

    sheet = make_case_sheet(
        chosen.folder,
        thesis_split=chosen.thesis_split,
        splits=dict(split_pair(text) for text in chosen.split),
        test_share=chosen.test_share,
        validation_share=chosen.validation_share,
        seed=chosen.seed,
    )
    write_table(sheet, chosen.output)
    counts = sheet.groupby("split").agg(cases=("case", "size"))
    counts["labelled"] = (sheet["segmentation"] != "").groupby(sheet["split"]).sum()
    logging.info("%s: %d cases\n%s", chosen.output, len(sheet), counts.to_string())
