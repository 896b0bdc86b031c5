"""Options that several commands share, and how their values are read."""

import argparse

from medscale.errors import InputError


def add_division(parser: argparse.ArgumentParser, splits: str) -> None:
    """Add how patients are divided: fixed splits, the share for test, and the seed."""
    parser.add_argument(
        "--split",
        action="append",
        default=[],
        metavar="PATIENT=SPLIT",
        help=f"fix a patient's split ({splits}); may be repeated",
    )
    parser.add_argument(
        "--test-share", type=float, default=0.2, help="share of the patients drawn for test (0.2)"
    )
    parser.add_argument("--seed", type=int, default=0, help="draws these patients (0)")


def add_validation_share(parser: argparse.ArgumentParser) -> None:
    """Add the share of the patients for validation."""
    parser.add_argument(
        "--validation-share", type=float, default=0.1, help="share of the patients drawn for validation (0.1)"
    )


def add_class_shares(parser: argparse.ArgumentParser) -> None:
    """Add the shares of each class for test and validation, and the seed."""
    for split, share in (("test", 0.2), ("validation", 0.1)):
        parser.add_argument(
            f"--{split}-share", type=float, default=share, help=f"share of each class for {split} ({share})"
        )
    parser.add_argument("--seed", type=int, default=0, help="draws the splits (0)")


def split_pair(
    text: str, option: str = "--split", expected: str = "PATIENT=SPLIT, such as patient_910=test"
) -> tuple[str, str]:
    """Return what stands before and after the first equals sign of an option's value."""
    first, equals, second = text.partition("=")
    if not equals:
        raise InputError(option, repr(text), expected, "Correct the option.")
    return first, second


def read_number(text: str, option: str) -> float:
    """Return the number that an option's value ends with."""
    try:
        return float(text)
    except ValueError:
        raise InputError(
            option, repr(text), "a number after the equals sign", "Correct the option."
        ) from None
