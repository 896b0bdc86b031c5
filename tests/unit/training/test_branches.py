"""Trainings that begin from a state which another training kept."""

import shutil

import pytest
import torch
from torch.utils.data import DataLoader, Dataset

from medscale.errors import InputError
from medscale.networks.registry import build_network
from medscale.training.batch_schedules import parse_schedule
from medscale.training.batches import EpochBatches
from medscale.training.fitting import fit
from medscale.training.optimisation import Optimisation
from medscale.training.restoration import PairBatch, Restoration

CPU = torch.device("cpu")
EPOCHS, IMAGES = 6, 8
BRANCH = "t31/1-2-4"
SHARED = parse_schedule(BRANCH, EPOCHS).shared_epochs


@pytest.fixture(autouse=True)
def _one_thread():
    torch.set_num_threads(1)


class Pairs(Dataset):
    """Random pairs of images; `stop_at` raises like a kill after so many batches."""

    def __init__(self, stop_at=None):
        generator = torch.Generator().manual_seed(0)
        self.targets = torch.rand(IMAGES, 1, 8, 8, generator=generator)
        self.inputs = torch.rand(IMAGES, 1, 8, 8, generator=generator)
        self.left = stop_at

    def __getitem__(self, rows):
        if self.left is not None:
            self.left -= 1
            if self.left < 0:
                raise KeyboardInterrupt
        return PairBatch(self.inputs[rows], self.targets[rows])


def _train(folder, name, *, stop_at=None, epochs=EPOCHS, workers=0, **beginning):
    schedule = parse_schedule(name, EPOCHS)
    network = build_network("unet", 1, width=2, depth=1)
    task = Restoration(network, Optimisation("sgd", 0.05, "cosine"), schedule)
    order = EpochBatches(IMAGES, schedule, seed=3)
    train = DataLoader(Pairs(stop_at), sampler=order, batch_size=None, num_workers=workers)
    watched = DataLoader(Pairs(), sampler=[list(range(IMAGES))], batch_size=None)
    folder.mkdir(exist_ok=True)
    fit(task, train, watched, epochs=epochs, device=CPU, checkpoints=folder / "checkpoints", **beginning)
    return task


@pytest.fixture(scope="module")
def trunk(tmp_path_factory):
    """The file that a training at batch size 1 kept when the branch leaves it."""
    folder = tmp_path_factory.mktemp("trunk")
    torch.set_num_threads(1)
    _train(folder, "fixed/1", keep={SHARED: folder / "kept.ckpt"})
    return folder / "kept.ckpt"


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The branch's schedule, trained in one go."""
    torch.set_num_threads(1)
    return _train(tmp_path_factory.mktemp("whole"), BRANCH)


def _assert_same(one, other):
    assert one.history == other.history
    assert len(one.history) == EPOCHS
    for name, value in one.network.state_dict().items():
        assert torch.equal(other.network.state_dict()[name], value), name


def test_trunk_and_branch_are_one_training_bit_for_bit(tmp_path, trunk, whole):
    branch = _train(tmp_path, BRANCH, start=trunk)
    assert [record["batch_size"] for record in branch.history] == [1, 1, 1, 1, 2, 4]
    _assert_same(branch, whole)


def test_a_branch_of_another_size_differs(tmp_path, trunk, whole):
    branch = _train(tmp_path, "t31/1-4", start=trunk)
    assert branch.history[:SHARED] == whole.history[:SHARED]
    assert branch.history[SHARED] != whole.history[SHARED]


@pytest.mark.parametrize("workers", [0, 1])
def test_a_killed_branch_resumes_from_its_own_checkpoint(tmp_path, trunk, whole, workers):
    start = tmp_path / "start.ckpt"
    shutil.copy(trunk, start)
    with pytest.raises((KeyboardInterrupt, SystemExit)):
        _train(tmp_path, BRANCH, start=start, stop_at=4 + 1)  # 4 batches of two, 2 of four
    assert (tmp_path / "checkpoints/last.ckpt").exists()
    start.write_bytes(b"no longer needed")
    _assert_same(_train(tmp_path, BRANCH, start=start, workers=workers), whole)


def test_a_broken_checkpoint_of_a_branch_begins_it_anew(tmp_path, trunk, whole):
    (tmp_path / "checkpoints").mkdir()
    (tmp_path / "checkpoints/last.ckpt").write_bytes(b"half a checkpoint")
    _assert_same(_train(tmp_path, BRANCH, start=trunk), whole)


def test_a_branch_that_never_leaves_is_the_trunk(tmp_path):
    trunk = _train(tmp_path / "trunk", "fixed/1", keep={EPOCHS: tmp_path / "end.ckpt"})
    _assert_same(_train(tmp_path / "branch", "t31/1", start=tmp_path / "end.ckpt"), trunk)


def test_a_trunk_may_end_where_its_last_branch_leaves(tmp_path, trunk):
    _train(tmp_path, "fixed/1", epochs=SHARED, keep={SHARED: tmp_path / "kept.ckpt"})
    assert (tmp_path / "kept.ckpt").read_bytes() == trunk.read_bytes()


def test_kept_states_are_the_same_bytes_after_a_kill_and_elsewhere(tmp_path, trunk):
    keep = {2: tmp_path / "two.ckpt", SHARED: tmp_path / "kept.ckpt"}
    with pytest.raises((KeyboardInterrupt, SystemExit)):
        _train(tmp_path, "fixed/1", keep=keep, stop_at=3 * IMAGES + 2)
    # A scheduler removes what a killed job had written: nothing lies there yet.
    assert not keep[2].exists()
    _train(tmp_path, "fixed/1", keep=keep)
    assert keep[SHARED].read_bytes() == trunk.read_bytes()
    assert keep[2].exists()
    assert not (tmp_path / "checkpoints").exists()
    _train(tmp_path / "elsewhere", "fixed/1", keep={2: tmp_path / "again.ckpt"})
    assert (tmp_path / "again.ckpt").read_bytes() == keep[2].read_bytes()


def test_kept_states_hold_no_code_and_no_paths(trunk):
    state = torch.load(trunk, weights_only=True)
    assert len(state["history"]) == SHARED
    assert "callbacks" not in state
    assert str(trunk.parent).encode() not in trunk.read_bytes()
    assert b"/tmp" not in trunk.read_bytes()


def test_a_lost_state_is_made_again(tmp_path, trunk, caplog):
    keep = {SHARED: tmp_path / "kept.ckpt"}
    with pytest.raises((KeyboardInterrupt, SystemExit)):
        _train(tmp_path, "fixed/1", keep=keep, stop_at=(SHARED + 1) * IMAGES + 2)
    (lost,) = (tmp_path / "checkpoints").glob("after_*.ckpt")
    lost.unlink()
    _train(tmp_path, "fixed/1", keep=keep)
    assert "training starts anew" in caplog.text
    assert keep[SHARED].read_bytes() == trunk.read_bytes()


@pytest.mark.parametrize("content", [None, b"", b"no checkpoint"])
def test_an_unreadable_start_is_refused(tmp_path, content):
    start = tmp_path / "start.ckpt"
    if content is not None:
        start.write_bytes(content)
    with pytest.raises(InputError, match=r"start\.ckpt: found no readable checkpoint"):
        _train(tmp_path, BRANCH, start=start)


def test_states_that_are_no_trainings_are_refused(tmp_path):
    torch.save({"weights": torch.ones(2)}, tmp_path / "start.ckpt")
    with pytest.raises(InputError, match="no readable checkpoint"):
        _train(tmp_path, BRANCH, start=tmp_path / "start.ckpt")
    torch.save({"epoch": 3, "lr_schedulers": [], "code": print}, tmp_path / "start.ckpt")
    with pytest.raises(InputError, match="no readable checkpoint"):
        _train(tmp_path, BRANCH, start=tmp_path / "start.ckpt")


def test_a_start_beyond_the_end_or_beyond_what_is_kept_is_refused(tmp_path, trunk):
    found = f"a state after {SHARED} epochs; expected a state of at most {SHARED - 1}"
    with pytest.raises(InputError, match=found):
        _train(tmp_path, "fixed/1", epochs=SHARED - 1, start=trunk)
    with pytest.raises(InputError, match="at most 1 epoch"):
        _train(tmp_path, "fixed/1", start=trunk, keep={2: tmp_path / "two.ckpt"})


@pytest.mark.parametrize("epochs", [0, EPOCHS + 1])
def test_no_state_can_be_kept_after_epochs_that_are_not_trained(tmp_path, epochs):
    with pytest.raises(ValueError, match=f"epoch {epochs}"):
        _train(tmp_path, "fixed/1", keep={epochs: tmp_path / "never.ckpt"})


def test_a_learning_rate_that_counts_batches_starts_no_branch(tmp_path):
    """Its steps were counted for the batches of the trunk; those of the branch are fewer."""
    state = {"epoch": 1, "lr_schedulers": [{"T_max": 48}]}
    torch.save(state, tmp_path / "start.ckpt")
    with pytest.raises(InputError, match="learning rate that follows the number of batches"):
        _train(tmp_path, BRANCH, start=tmp_path / "start.ckpt")
