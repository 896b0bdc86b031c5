import numpy as np
import pytest
import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset

from medscale.training.batch_schedules import parse_schedule
from medscale.training.batches import EpochBatches
from medscale.training.classification import Classification
from medscale.training.fitting import fit
from medscale.training.optimisation import Optimisation
from medscale.training.patch_feed import Augmentation, PatchBatch, PatchFeed

EPOCHS = 4


class Blobs(Dataset):
    """Bright and dark patches; `stop_at` raises like a kill after so many batches."""

    def __init__(self, stop_at=None):
        rng = np.random.default_rng(0)
        self.labels = torch.arange(24).float() % 2
        noise = torch.from_numpy(rng.integers(0, 60, (24, 3, 8, 8)))
        self.images = (noise + 120 * self.labels[:, None, None, None]).to(torch.uint8)
        self.seeds, self.left = np.arange(24), stop_at

    def __getitem__(self, rows):
        if self.left is not None:
            self.left -= 1
            if self.left < 0:
                raise KeyboardInterrupt
        return PatchBatch(self.images[rows], self.labels[rows], np.zeros(len(rows), int), self.seeds[rows])


@pytest.fixture(autouse=True)
def _one_thread():
    torch.set_num_threads(1)


def _task(schedule="cosine"):
    torch.manual_seed(1)
    network = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Linear(144, 1))
    augmentation = Augmentation(dihedral=True, stain_scale=0.1, stain_shift=0.1)
    optimisation = Optimisation(learning_rate=0.01, schedule=schedule)
    return Classification(network, optimisation, PatchFeed(augmentation))


def _fit(task, folder, stop_at=None, batch_size=5, workers=0):
    order = EpochBatches(24, batch_size, seed=3)
    train = DataLoader(Blobs(stop_at), sampler=order, batch_size=None, num_workers=workers)
    watched = DataLoader(Blobs(), sampler=[list(range(24))], batch_size=None)
    cpu = torch.device("cpu")
    fit(task, train, watched, epochs=EPOCHS, device=cpu, checkpoints=folder / "checkpoints")


@pytest.mark.parametrize("schedule", ["constant", "cosine"])
def test_a_killed_training_resumes_to_the_same_bytes(tmp_path, schedule):
    whole, killed, resumed = _task(schedule), _task(schedule), _task(schedule)
    _fit(whole, tmp_path / "whole")
    with pytest.raises((KeyboardInterrupt, SystemExit)):
        _fit(killed, tmp_path / "killed", stop_at=12)  # 5 batches an epoch: inside the third
    assert (tmp_path / "killed/checkpoints/last.ckpt").exists()
    with torch.no_grad():
        resumed.network[0].weight.zero_()  # what is not loaded would show
    _fit(resumed, tmp_path / "killed")
    for name, value in whole.network.state_dict().items():
        assert torch.equal(resumed.network.state_dict()[name], value), name
    assert resumed.history == whole.history
    assert len(whole.history) == EPOCHS
    assert not (tmp_path / "killed/checkpoints").exists()


def test_a_resumed_training_with_workers_goes_on_with_the_right_epoch(tmp_path):
    """Workers read ahead before Lightning tells the sampler where it is."""
    whole, killed, resumed = _task(), _task(), _task()
    _fit(whole, tmp_path / "whole")
    with pytest.raises((KeyboardInterrupt, SystemExit)):
        _fit(killed, tmp_path / "killed", stop_at=12)
    _fit(resumed, tmp_path / "killed", workers=1)
    assert resumed.history == whole.history


@pytest.mark.parametrize("stop_at", [None, 14, 17])
def test_batches_that_grow_validate_every_epoch_and_let_the_cosine_end_at_zero(tmp_path, stop_at):
    schedule = parse_schedule("t31/4-6-12", EPOCHS)  # 6, 6, 4 and 2 batches
    whole, resumed = _task(), _task()
    _fit(whole, tmp_path / "whole", batch_size=schedule)
    assert [record["epoch"] for record in whole.history if "validation_loss" in record] == [1, 2, 3, 4]
    assert whole.trainer.global_step == 6 + 6 + 4 + 2
    assert whole.trainer.optimizers[0].param_groups[0]["lr"] == pytest.approx(0, abs=1e-12)
    if stop_at:
        with pytest.raises((KeyboardInterrupt, SystemExit)):
            _fit(_task(), tmp_path / "resumed", stop_at, schedule)
    _fit(resumed, tmp_path / "resumed", batch_size=schedule)
    assert resumed.history == whole.history


def test_training_learns_and_keeps_its_history(tmp_path):
    task = _task()
    _fit(task, tmp_path)
    assert task.history[-1]["train_loss"] < task.history[0]["train_loss"]
    assert task.history[-1]["validation_auc"] > 0.9
    assert [record["epoch"] for record in task.history] == [1, 2, 3, 4]


def test_a_broken_checkpoint_starts_anew(tmp_path, caplog):
    whole, after = _task(), _task()
    _fit(whole, tmp_path / "whole")
    (tmp_path / "broken/checkpoints").mkdir(parents=True)
    (tmp_path / "broken/checkpoints/last.ckpt").write_bytes(b"half a checkpoint")
    _fit(after, tmp_path / "broken")
    assert "training starts anew" in caplog.text
    assert after.history == whole.history
