"""The sheet of brain volumes with age and sex."""

import argparse
import logging

from medscale.commands.options import add_class_shares, read_number, split_pair


def add(commands) -> None:
    """Add `subject_sheet` to the commands."""
    parser = commands.add_parser("subject_sheet", help="write the sheet of brain volumes with age and sex")
    parser.add_argument("participants", help="CSV or TSV with a line for each subject, with its age and sex")
    parser.add_argument(
        "--image",
        action="append",
        required=True,
        metavar="CHANNEL=PATTERN",
        help="files of t1, t2 or flair, with columns in braces: t1=t1/{MRID}_T1.nii.gz; may be repeated",
    )
    classes = parser.add_mutually_exclusive_group(required=True)
    classes.add_argument("--class", dest="label", metavar="COLUMN", help="the column that names the classes")
    classes.add_argument(
        "--class-above", metavar="COLUMN=NUMBER", help="two classes: above the number, and not above it"
    )
    parser.add_argument("--output", required=True, help="the sheet to write, such as subjects.csv")
    add_class_shares(parser)
    parser.set_defaults(run=_run)


def _run(chosen: argparse.Namespace) -> None:
    from medscale.files.tables import write_table
    from medscale.scans.subject_sheet import ClassRule, make_subject_sheet

    example = "CHANNEL=PATTERN, such as t1=t1/{MRID}_T1.nii.gz"
    images = dict(split_pair(text, "--image", example) for text in chosen.image)
    rule = ClassRule(chosen.label)
    if chosen.class_above:
        column, number = split_pair(chosen.class_above, "--class-above", "COLUMN=NUMBER, such as Age=80")
        rule = ClassRule(column, read_number(number, "--class-above"))
    shares = {"test_share": chosen.test_share, "validation_share": chosen.validation_share}
    sheet = make_subject_sheet(chosen.participants, images, rule, **shares, seed=chosen.seed)
    write_table(sheet, chosen.output)
    counts = sheet.groupby(["split", "class"]).agg(subjects=("subject", "size"))
    logging.info("%s: %d subjects\n%s", chosen.output, len(sheet), counts.to_string())
