"""Which patients a network learns from, and which it is tried on."""

from collections.abc import Collection, Sequence

from medscale.errors import InputError
from medscale.seeds import generator

SPLITS = ("train", "validation", "test")


def divide_patients(
    patients: Sequence[str],
    fixed: dict[str, str],
    test_share: float,
    validation_share: float,
    seed: int,
    name: str,
    needed: Sequence[str] = SPLITS,
) -> dict[str, str]:
    """Return the split of each patient; none of the splits that are needed stays empty.

    Parameters
    ----------
    fixed : dict of patient to split
        The shares are of the other patients.
    seed : int
        With `name`, which says whose patients they are, draws the splits.
    needed : sequence of str
        Another split stays empty where its share is 0 or all patients are fixed elsewhere.

    Raises
    ------
    InputError
        If a fixed patient or split is unknown, or patients are too few to fill every split.
    """
    check_fixed(fixed, patients)
    free = [patient for patient in patients if patient not in fixed]
    drawn = list(generator(seed, name).permutation(free))
    split = dict(fixed)
    for own, share in (("test", test_share), ("validation", validation_share)):
        least = own not in fixed.values() and (own in needed or share > 0)
        count = max(round(share * len(free)), int(least))
        split |= dict.fromkeys(drawn[:count], own)
        drawn = drawn[count:]
    split |= dict.fromkeys(drawn, "train")
    missing = [own for own in needed if own not in split.values()]
    if missing:
        raise InputError(
            "the patients",
            f"{len(patients)} of them, none left for {' or '.join(missing)}",
            f"at least one patient in each of {', '.join(needed)}",
            "Add images of more patients, or set smaller shares.",
        )
    return {str(patient): own for patient, own in split.items()}


def check_fixed(fixed: dict[str, str], patients: Collection[str], splits: Sequence[str] = SPLITS) -> None:
    """Raise an `InputError` for a fixed split that is none, or of a patient who is not there."""
    for patient, split in fixed.items():
        if patient not in patients or split not in splits:
            raise InputError(
                "the fixed splits",
                f"{patient}={split}",
                f"a patient who was found, and one of {', '.join(splits)}",
                "Correct it.",
            )
