"""Trainings that several processes share."""

import logging
import sys

import numpy as np
import pytest
import torch
from torch import distributed, nn
from torch.utils.data import DataLoader, Dataset

from medscale.errors import InputError
from medscale.training.batches import EpochBatches
from medscale.training.fitting import fit
from medscale.training.optimisation import Optimisation, Pace, Plateau
from medscale.training.processes import SharedBatches, count_devices, without_main_module
from medscale.training.restoration import Restoration
from medscale.training.segmentation import Classes, Segmentation, SegmentationBatch
from medscale.training.segmentation_losses import build_loss
from medscale.training.spatial_augmentation import SpatialAugmentation

CPU = torch.device("cpu")
EPOCHS, SAMPLES, SIZE = 3, 11, 8
CLASSES = Classes(("background", "kidney", "tumour"), (0.5, 2.0, 5.0))
# The last batch of validation data is smaller than the number of processes.
WATCHED = [[0, 1, 2], [3, 4, 5], [6]]


@pytest.fixture(autouse=True)
def _one_thread():
    torch.set_num_threads(1)


class Squares(Dataset):
    """Random images with random labels."""

    def __init__(self, seed, stop_at=None):
        generator = torch.Generator().manual_seed(seed)
        shape = (SAMPLES, SIZE, SIZE)
        self.labels = torch.randint(0, 3, shape, generator=generator, dtype=torch.uint8)
        self.images = 80 * self.labels + torch.randint(0, 60, shape, generator=generator, dtype=torch.uint8)
        self.left = stop_at

    def __getitem__(self, numbers):
        if self.left is not None:
            self.left -= 1
            if self.left < 0:
                raise RuntimeError("killed")
        rows = np.asarray(numbers, np.int64) % SAMPLES
        return SegmentationBatch(self.images[rows], self.labels[rows], np.asarray(numbers, np.int64))


class Plain(nn.Module):
    """Two convolutions without batch norm, whose images do not act on each other."""

    dimensions = 2

    def __init__(self):
        super().__init__()
        torch.manual_seed(1)
        self.layers = nn.Sequential(nn.Conv2d(1, 4, 3, padding=1), nn.Tanh(), nn.Conv2d(4, 3, 3, padding=1))

    def forward(self, x):
        return self.layers(x)


def _task():
    # Plain descent: that of Adam turns differences of the last digit into steps.
    return Segmentation(
        Plain(),
        build_loss("weighted_dice", CLASSES.weights),
        CLASSES,
        Optimisation("sgd", 0.5),
        epochs=EPOCHS,
        pace=Pace(1, Plateau(1, 0.5, least_change=10.0)),
        augmentation=SpatialAugmentation(),
    )


def _train(folder, task, devices, batch_size=4, stop_at=None):
    """11 samples in batches of 4, 4 and 3: shares of 2 and 2, or 1 and 2, and so on."""
    order = EpochBatches(SAMPLES, batch_size, seed=3, numbered=True)
    train = DataLoader(Squares(0, stop_at), sampler=order, batch_size=None)
    watched = DataLoader(Squares(1), sampler=WATCHED, batch_size=None)
    folder.mkdir(exist_ok=True)
    checkpoints = folder / "checkpoints"
    fit(task, train, watched, epochs=EPOCHS, device=CPU, checkpoints=checkpoints, devices=devices)
    return task


@pytest.fixture(scope="module")
def alone(tmp_path_factory):
    """The same training by one process; batches of 5, 5 leave one sample over, which is dropped."""
    torch.set_num_threads(1)
    return _train(tmp_path_factory.mktemp("alone"), _task(), 1, batch_size=5)


def test_two_processes_train_as_one_does_on_the_same_batches(tmp_path, alone, caplog):
    """Parts of 2 and 3 samples, a failure in the second epoch, and then the rest of the training."""
    caplog.set_level(logging.INFO)
    with pytest.raises(Exception, match="killed"):
        _train(tmp_path, _task(), 2, batch_size=5, stop_at=3)
    assert (tmp_path / "checkpoints/last.ckpt").exists()
    task = _train(tmp_path, _task(), 2, batch_size=5)
    assert len(task.history) == EPOCHS
    assert [list(record) for record in task.history] == [list(record) for record in alone.history]
    for record, expected in zip(task.history, alone.history, strict=True):
        assert record == pytest.approx(expected, rel=1e-5)
    for name, value in alone.network.state_dict().items():
        torch.testing.assert_close(task.network.state_dict()[name], value, atol=1e-6, rtol=1e-5)
    # The first process alone writes, and what it logs comes to the log of this one.
    assert [path.name for path in tmp_path.iterdir()] == ["checkpoints.lock"]
    lines = [record.getMessage() for record in caplog.records if record.name == "medscale.training.fitting"]
    assert [line.split(":")[0] for line in lines] == [f"epoch {done} of {EPOCHS}" for done in (1, 2, 3)]


def test_what_cannot_be_shared_is_refused(tmp_path):
    with pytest.raises(InputError, match="1 for 2 processes"):
        _train(tmp_path, _task(), 2, batch_size=1)
    restoration = Restoration(Plain(), Optimisation("sgd"), schedule=None)
    with pytest.raises(ValueError, match="Restoration cannot share"):
        _train(tmp_path, restoration, 2)


@pytest.mark.parametrize("processes", [1, 2, 3, 4])
def test_parts_are_even_and_together_the_batch(monkeypatch, processes):
    batches = [[7, 1, 2, 8, 4], [5, 6], [9]]
    parts = []
    for rank in range(processes):
        monkeypatch.setattr(distributed, "get_rank", lambda rank=rank: rank)
        monkeypatch.setattr(distributed, "get_world_size", lambda: processes)
        parts.append(list(SharedBatches(batches)))
    for number, batch in enumerate(batches):
        of_batch = [part[number] for part in parts]
        assert [sample for part in of_batch for sample in part] == batch
        assert max(map(len, of_batch)) - min(map(len, of_batch)) <= 1


@pytest.mark.parametrize(("processes", "lengths"), [(1, [4, 4, 3]), (2, [4, 4]), (4, [4, 4])])
def test_a_last_batch_that_leaves_single_samples_is_dropped(processes, lengths):
    batches = EpochBatches(11, 4, seed=0)
    batches.processes = processes
    assert [len(batch) for batch in batches] == lengths
    assert len(batches) == len(lengths)


def test_one_process_for_each_granted_gpu_that_there_is(monkeypatch):
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 4)
    assert count_devices(torch.device("cpu"), 2) == 1
    assert count_devices(torch.device("cuda"), 2) == 2
    assert count_devices(torch.device("cuda"), 8) == 4


def test_the_main_module_comes_back():
    main = sys.modules["__main__"]
    with without_main_module():
        assert not hasattr(sys.modules["__main__"], "__file__")
    assert sys.modules["__main__"] is main
