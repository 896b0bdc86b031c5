"""Peak memory and time of predicting a case by its number of slices, with narrow networks."""

from pathlib import Path

import numpy as np

from benchmarks.peak import measure_peak

ORIGINAL_PX, PREPARED_PX = 512, 128
SLICES = (200, 800)
BLOCK_SLICES, OVERLAP_SLICES, BATCH_SLICES = 32, 12, 16
WINDOW_HU = (-512.0, 512.0)
# Slices run along the first axis of the file, as in KiTS19.
AFFINE = np.array([[0, 0, -0.8, 0], [0, -0.8, 0, 0], [-3.0, 0, 0, 0], [0, 0, 0, 1]])
NETWORKS = {"unet2d": {"width": 8}, "unet3d": {"width": 4}}


def measure_inference(folder: Path) -> list[tuple[str, str]]:
    """Return rows (what, peak memory and seconds) for each network and number of slices."""
    rows = []
    for slices in SLICES:
        case = folder / f"case of {slices} slices.h5"
        _write_case(case, slices)
        for name in NETWORKS:
            what = f"{name}, {slices} slices of {ORIGINAL_PX} px"
            rows.append((what, measure_peak(_predict, name, case, folder / "prediction.nii.gz")))
        what = f"labels of {slices} slices of {ORIGINAL_PX} px held and written at once"
        rows.append((what, measure_peak(_hold, slices, folder / "prediction.nii.gz")))
    return rows


def _write_case(path: Path, slices: int) -> None:
    from medscale.kits19.prepared_files import PreparedInfo, write_prepared

    # Smooth, so that packing the labels takes as long as that of real ones.
    row, column = np.mgrid[:PREPARED_PX, :PREPARED_PX] / PREPARED_PX
    picture = (120 + 60 * np.sin(9 * row) * np.cos(7 * column)).astype(np.uint8)
    pictures = ((np.roll(picture, number, axis=0), None) for number in range(slices))
    shape = (slices, ORIGINAL_PX, ORIGINAL_PX)
    info = PreparedInfo("case_00000", shape, (3.0, 0.8, 0.8), WINDOW_HU, "area")
    write_prepared(path, info, PREPARED_PX, pictures, labelled=False)


def _predict(name: str, case: Path, path: Path) -> None:
    import torch

    from medscale.kits19.cases import Grid
    from medscale.kits19.prediction import PredictionSettings, predict_case
    from medscale.kits19.prepared_files import read_info
    from medscale.networks.registry import build_network
    from medscale.training.models import ModelCard

    torch.set_num_threads(1)
    network = build_network(name, 0, **NETWORKS[name]).eval()
    inputs = {
        "size_px": PREPARED_PX,
        "slices": BLOCK_SLICES if network.dimensions == 3 else None,
        "window_hu": list(WINDOW_HU),
        "interpolation": "area",
    }
    grid = Grid(read_info(case).original_shape, AFFINE)
    settings = PredictionSettings(BATCH_SLICES, OVERLAP_SLICES)
    predict_case(network, ModelCard({}, inputs, {}, []), case, grid, path, settings, torch.device("cpu"))


def _hold(slices: int, path: Path) -> None:
    """Do what needs no streaming: nothing of it is a network's."""
    from medscale.files.volumes import Volume, write_nifti

    # Every page is touched.
    labels = np.ones((slices, ORIGINAL_PX, ORIGINAL_PX), np.uint8)
    write_nifti(Volume(labels, AFFINE), path)
