"""The trainings that the configuration asks for: what each network learns, from which images."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, TypeVar

from medscale.errors import InputError
from medscale.names import check_known, check_unique
from medscale.seeds import derive_seed

Item = TypeVar("Item")

# Parts of the study that share their tables.
CLASSIFICATION, ARCHITECTURES = "classification", "architectures"
DATA_SIZES, IMAGE_SIZES, SEGMENTATION = "data_sizes", "image_sizes", "segmentation"
# The only collection with outlines of tumours.
OUTLINED = "breast_ultrasound"
# What the classifier may do for a network that outlines tumours while it learns.
PLAIN, AIDED = "plain", "aided"
# What a network for volumes is shown.
INPUTS = ("image", "demographics", "both")


@dataclass(frozen=True)
class Training:
    """One network that learns the classes of a collection, with one or more seeds.

    Attributes
    ----------
    name : str
        Of its files.
    network : str
        What its rows in tables are called.
    group : str
        The part of the study that it belongs to.
    collection : str
    guarded : bool
        Whether duplicates of an image share a split.
    size_px : int
        Edge of the images.
    share : float
        Of the training images that it learns from.
    seeds : int
    settings : dict
        Fields of `ClassifierSettings`.
    """

    name: str
    network: str
    group: str
    collection: str
    guarded: bool
    size_px: int
    share: float
    seeds: int
    settings: dict[str, Any]


@dataclass(frozen=True)
class MaskTraining:
    """One network that learns to outline tumours, with one or more seeds.

    Attributes
    ----------
    name, network, group, collection, size_px, seeds
        As those of `Training`.
    loss : str
    aid : {"plain", "aided"}
        Whether the classifier empties outlines while it learns.
    settings : dict
        Fields of `SegmenterSettings`.
    """

    name: str
    network: str
    group: str
    collection: str
    size_px: int
    seeds: int
    loss: str
    aid: str
    settings: dict[str, Any]


def describe_classifiers(scans: Mapping[str, Any]) -> dict[str, Training]:
    """Return the trainings of all classifiers of images by their names.

    Parameters
    ----------
    scans : mapping
        The `scans` section of the configuration.

    Raises
    ------
    InputError
        If a part names a collection or a network that is not there, or a name stands there twice.
    """
    report = _report_classifiers(scans)
    trainings = [*report, *_architectures(scans), *_data_sizes(scans), *_image_sizes(scans)]
    return {training.name: training for training in trainings}


def describe_segmenters(scans: Mapping[str, Any]) -> dict[str, MaskTraining]:
    """Return the trainings of all networks that outline tumours by their names; none without outlines."""
    settings = scans["segmentation"]
    if scans["collections"].get(OUTLINED) is None or settings is None:
        return {}
    check_known("scans.segmentation.shown_loss", settings["shown_loss"], settings["losses"])
    trainings = [
        _outline(scans, loss, scans["size_px"], aid, SEGMENTATION, settings["seeds"])
        for loss in settings["losses"]
        for aid in (PLAIN, AIDED)
    ]
    sizes = scans["image_sizes"]
    trainings += [
        _outline(scans, sizes["loss"], size_px, PLAIN, IMAGE_SIZES, sizes["seeds"])
        for size_px in (sizes["sizes_px"] if sizes else [])
        if size_px != scans["size_px"]
    ]
    return {training.name: training for training in trainings}


def describe_conventional(scans: Mapping[str, Any]) -> dict[str, Training]:
    """Return the methods on hand-made features by their names, for all images and for shares of them."""
    part, sizes = scans["architectures"], scans["data_sizes"]
    if part is None:
        return {}
    shares = [1.0, *(share for share in (sizes["shares"] if sizes else []) if share < 1)]
    methods = [
        Training(
            name=method if share == 1 else f"{method}_{share:g}",
            network=method,
            group=ARCHITECTURES if share == 1 else DATA_SIZES,
            collection=part["collection"],
            guarded=True,
            size_px=scans["size_px"],
            share=share,
            seeds=part["seeds"],
            settings={},
        )
        for method in part["conventional"]
        for share in shares
    ]
    return {training.name: training for training in methods}


def describe_volumes(volumes: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return the fields of `VolumeSettings` that the `volumes` section of the configuration gives."""
    if volumes is None:
        return {}
    settings = {key: volumes[key] for key in ("network", "batch_size", "epochs", "flip")}
    optimisation = volumes["optimisation"] | {"learning_rate": volumes["learning_rate"]}
    return settings | {"samples_per_epoch": None, "optimisation": optimisation}


def seed_of_run(seed: int, number: int) -> int:
    """Return the seed of a training's run; all methods draw the same share of the images with it."""
    return derive_seed(seed, "image classifier", number)


def rows_of(trainings: Iterable[Training | MaskTraining]) -> list[dict[str, Any]]:
    """Return the fields of each training, as plain values that a job can be handed."""
    return [asdict(training) for training in trainings]


def by_training(trainings: Iterable[Training | MaskTraining], items: Sequence[Item]) -> dict[str, list[Item]]:
    """Return what belongs to the seeds of each training, of what belongs to all runs in their order."""
    names = [name for name, _ in runs_of(trainings)]
    return {
        name: [item for own, item in zip(names, items, strict=True) if own == name]
        for name in dict.fromkeys(names)
    }


def runs_of(trainings: Iterable[Training | MaskTraining]) -> list[tuple[str, int]]:
    """Return name and seed of every run."""
    return [(training.name, seed) for training in trainings for seed in range(training.seeds)]


def _report_classifiers(scans: Mapping[str, Any]) -> list[Training]:
    """Return the report's classifier on every collection, and where copies of images may leak."""
    settings = scans["classification"]
    collections = {name: sheets for name, sheets in scans["collections"].items() if sheets}
    return [
        Training(
            name=name if guarded else f"{name}_unguarded",
            network=settings["network"]["name"],
            group=CLASSIFICATION,
            collection=name,
            guarded=guarded,
            size_px=scans["size_px"],
            share=1.0,
            seeds=settings["seeds"],
            settings=_classifier_settings(settings),
        )
        for name, sheets in collections.items()
        for guarded in (True, False)
        if guarded or sheets["unguarded_sheet"]
    ]


def _architectures(scans: Mapping[str, Any]) -> list[Training]:
    part = scans["architectures"]
    if part is None:
        return []
    _check_collection("scans.architectures.collection", part["collection"], scans)
    own = scans["classification"]["network"]["name"]
    check_unique("scans.architectures.networks", [own, *(entry["name"] for entry in part["networks"])])
    return [_architecture(scans, entry, 1.0, ARCHITECTURES) for entry in part["networks"]]


def _architecture(scans: Mapping[str, Any], entry: Mapping[str, Any], share: float, group: str) -> Training:
    part, name = scans["architectures"], entry["name"]
    own = {key: entry[key] for key in ("network", "learning_rate")}
    return Training(
        name=f"{name}_{share:g}" if group == DATA_SIZES else name,
        network=name,
        group=group,
        collection=part["collection"],
        guarded=True,
        size_px=scans["size_px"],
        share=share,
        seeds=part["seeds"],
        settings=_classifier_settings(scans["classification"] | own, share),
    )


def _data_sizes(scans: Mapping[str, Any]) -> list[Training]:
    """Return networks that learn from a part of the images, in as many steps as from all of them."""
    part, architectures = scans["data_sizes"], scans["architectures"]
    if part is None:
        return []
    if architectures is None:
        mend = "Name a collection and networks there, or set data_sizes to null."
        raise InputError("scans.architectures", "null", "the networks that data_sizes compares", mend)
    report = scans["classification"]
    own = {"name": report["network"]["name"]} | {key: report[key] for key in ("network", "learning_rate")}
    entries = {entry["name"]: entry for entry in (own, *architectures["networks"])}
    for name in part["networks"]:
        check_known("scans.data_sizes.networks", name, entries)
    shares = [share for share in part["shares"] if share < 1]
    pairs = [(entries[name], share) for name in part["networks"] for share in shares]
    return [_architecture(scans, entry, share, DATA_SIZES) for entry, share in pairs]


def _image_sizes(scans: Mapping[str, Any]) -> list[Training]:
    """Return the report's classifier for images of other sizes."""
    part, settings = scans["image_sizes"], scans["classification"]
    if part is None:
        return []
    _check_collection("scans.image_sizes.collection", part["collection"], scans)
    return [
        Training(
            name=f"{part['collection']}_{size_px}px",
            network=settings["network"]["name"],
            group=IMAGE_SIZES,
            collection=part["collection"],
            guarded=True,
            size_px=size_px,
            share=1.0,
            seeds=part["seeds"],
            settings=_classifier_settings(settings),
        )
        for size_px in part["sizes_px"]
        if size_px != scans["size_px"]
    ]


def _classifier_settings(part: Mapping[str, Any], share: float = 1.0) -> dict[str, Any]:
    return {
        "network": dict(part["network"]),
        "batch_size": part["batch_size"],
        "epochs": round(part["epochs"] / share),
        "samples_per_epoch": None,
        "optimisation": part["optimisation"] | {"learning_rate": part["learning_rate"]},
        "augmentation": part["augmentation"],
    }


def _outline(
    scans: Mapping[str, Any], loss: str, size_px: int, aid: str, group: str, seeds: int
) -> MaskTraining:
    part = scans["segmentation"]
    size = f"_{size_px}px" if group == IMAGE_SIZES else ""
    settings = {key: part[key] for key in ("network", "batch_size", "epochs", "augmentation")}
    settings["optimisation"] = part["optimisation"] | {"learning_rate": part["learning_rate"]}
    return MaskTraining(
        name=f"{part['network']['name']}_{loss}_{aid}{size}",
        network=part["network"]["name"],
        group=group,
        collection=OUTLINED,
        size_px=size_px,
        seeds=seeds,
        loss=loss,
        aid=aid,
        settings=settings | {"loss": loss, "samples_per_epoch": None},
    )


def _check_collection(where: str, name: str, scans: Mapping[str, Any]) -> None:
    present = [known for known, sheets in scans["collections"].items() if sheets]
    if name not in present:
        known = f"one of {', '.join(present)}" if present else "null, since there is no collection"
        raise InputError(where, repr(name), known, "Correct the name, or set this part to null.")
