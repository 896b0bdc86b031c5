"""The trainings that the configuration asks for: networks of the comparison, and variants of the study."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from medscale.names import check_known, check_unique

# Those of the registry with three dimensions. It is not asked, since every start of the workflow comes past
# here, and torch takes seconds to import.
NETWORKS_OF_BLOCKS = ("unet3d",)
TRAIN, VALIDATION = "train", "validation"
# Blocks and slices of validation patients are taken as they come.
UNBALANCED = {"drop_background": False, "repeat_tumours": 0, "overlap": 0, "share_of_cases": 1.0}
# What a variant may replace in a training.
REPLACED = ("loss", "warmup_epochs", "plateau", "augmentation", "generated_share")


@dataclass(frozen=True)
class Training:
    """One network that is trained, with one or more seeds.

    Attributes
    ----------
    name : str
        Of a network in `kits19.networks`, or of a variant in `kits19.study.variants`.
    seeds : int
    kind : {"slices", "blocks"}
        What the network sees.
    samples : str
        Name of the samples that it is trained on (see `describe_samples`).
    settings : dict
        Fields of `SegmenterSettings`.
    """

    name: str
    seeds: int
    kind: str
    samples: str
    settings: dict[str, Any]

    @property
    def runs(self) -> list[dict[str, Any]]:
        """`network` (this training's name) and `seed` of every run."""
        return [{"network": self.name, "seed": seed} for seed in range(self.seeds)]

    @property
    def uses_generated(self) -> bool:
        """Whether slices of the generator are among its samples."""
        return self.settings["generated_share"] > 0


def describe_trainings(kits19: Mapping[str, Any]) -> dict[str, Training]:
    """Return the trainings of the comparison by the names of their networks.

    Parameters
    ----------
    kits19 : mapping
        The `kits19` section of the configuration.

    Raises
    ------
    InputError
        If a network stands there twice, or one that the pictures show is not there.
    """
    networks = {
        entry["name"]: Training(
            entry["name"], entry["seeds"], _kind(entry), TRAIN, _settings(kits19["training"], entry)
        )
        for entry in kits19["networks"]
    }
    check_unique("kits19.networks", [entry["name"] for entry in kits19["networks"]])
    for name in kits19["figures"]["missed_by_and_kept_by"]:
        check_known("kits19.figures.missed_by_and_kept_by", name, networks)
    return networks


def describe_variants(kits19: Mapping[str, Any]) -> dict[str, Training]:
    """Return the trainings of the study by the names of their variants; each changes the same network's.

    Raises
    ------
    InputError
        If the study's network is not in the comparison, or a variant has the name of a network, of
        another variant, or of the samples for training or validation.
    """
    study = kits19["study"]
    networks = {entry["name"]: entry for entry in kits19["networks"]}
    check_known("kits19.study.network", study["network"], networks)
    names = [variant["name"] for variant in study["variants"]]
    check_unique("kits19.study.variants", [*networks, TRAIN, VALIDATION, *names])
    entry = networks[study["network"]] | {"samples_per_epoch": study["samples_per_epoch"]}
    return {
        variant["name"]: Training(
            variant["name"],
            study["seeds"],
            _kind(entry),
            variant["name"] if "balancing" in variant else TRAIN,
            _vary(_settings(kits19["training"], entry), variant),
        )
        for variant in study["variants"]
    }


def describe_samples(kits19: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the fields of `SampleSettings` of each set of samples: train, validation, and of variants."""
    balancing = kits19["balancing"]
    own = {
        variant["name"]: balancing | variant["balancing"]
        for variant in kits19["study"]["variants"]
        if "balancing" in variant
    }
    return {TRAIN: dict(balancing), VALIDATION: balancing | UNBALANCED, **own}


def _kind(entry: Mapping[str, Any]) -> str:
    return "blocks" if entry["name"] in NETWORKS_OF_BLOCKS else "slices"


def _settings(common: Mapping[str, Any], entry: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a network of the comparison is trained with."""
    own = {key: entry[key] for key in ("learning_rate", "weight_decay")}
    return {
        **common,
        "optimisation": common["optimisation"] | own,
        "network": {"name": entry["name"], **entry["settings"]},
        "batch_size": entry["batch_size"],
        "samples_per_epoch": entry["samples_per_epoch"],
    }


def _vary(settings: Mapping[str, Any], variant: Mapping[str, Any]) -> dict[str, Any]:
    varied = settings | {key: variant[key] for key in REPLACED if key in variant}
    varied["network"] = settings["network"] | variant.get("settings", {})
    if "learning_rate" in variant:
        varied["optimisation"] = settings["optimisation"] | {"learning_rate": variant["learning_rate"]}
    return varied
