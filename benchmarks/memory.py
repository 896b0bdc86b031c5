"""Peak memory of mask, patch grid and heatmap of a slide, each in a process of its own."""

from pathlib import Path

from benchmarks.peak import measure_peak

STRIDE_UM = 256.0
SIZE_PX = 256


def measure_memory(slide: Path, folder: Path) -> list[tuple[str, str]]:
    """Return rows (what, peak memory and seconds) for the three steps on `slide`."""
    steps = {"tissue mask": _mask, "patch grid and 512 patches": _grid, "heatmap": _map}
    return [(f"{name}, {slide.stem}", measure_peak(step, slide, folder)) for name, step in steps.items()]


def _mask(path: Path, folder: Path) -> None:
    from medscale.files.rasters import write_raster
    from medscale.pathology.slides import Slide
    from medscale.pathology.tissue import mask_tissue

    with Slide(path) as slide:
        write_raster(mask_tissue(slide, um_px=8.0), folder / "tissue.tif")


def _grid(path: Path, folder: Path) -> None:
    from medscale.files.rasters import read_raster
    from medscale.pathology.patches import GridSettings, grid_patches, read_patches
    from medscale.pathology.slides import Slide

    with Slide(path) as slide:
        settings = GridSettings(SIZE_PX, slide.um_px, SIZE_PX, 0.5, 0.5)
        tissue = read_raster(folder / "tissue.tif")
        grid = grid_patches("big", slide, tissue, None, label="negative", settings=settings)
        chosen = grid.sample(min(512, len(grid)), random_state=0)
        read_patches(slide, chosen["x"], chosen["y"], SIZE_PX, slide.um_px)


def _map(path: Path, folder: Path) -> None:
    import torch

    from medscale.files.rasters import read_raster
    from medscale.networks.registry import build_network
    from medscale.pathology.heatmaps import HeatmapGrid, map_probabilities
    from medscale.pathology.patch_classifier import score_patches
    from medscale.pathology.slides import Slide

    torch.set_num_threads(1)
    network = build_network("resnet10", 0, width=8, outputs=1).eval()
    with Slide(path) as slide:
        grid = HeatmapGrid(STRIDE_UM, SIZE_PX, slide.um_px, 0.25)
        tissue = read_raster(folder / "tissue.tif")
        map_probabilities(
            slide,
            tissue,
            lambda patches: score_patches(network, patches, torch.device("cpu")),
            grid,
            folder / "map.tif",
        )
