import pytest
import torch
from torch import nn

from medscale.errors import InputError
from medscale.training.optimisation import Optimisation, Pace, Plateau, bound_weights, build_optimiser


def _steps(settings, count):
    """Weights of one unit whose loss is w², so that the gradient is 2 w."""
    unit = nn.Linear(1, 1, bias=False)
    nn.init.ones_(unit.weight)
    optimiser = build_optimiser(unit, settings)
    weights = []
    for _ in range(count):
        optimiser.zero_grad()
        unit.weight.square().sum().backward()
        optimiser.step()
        weights.append(unit.weight.item())
    return weights


def test_sgd_moves_by_nesterov_momentum_and_weight_decay():
    weight, velocity, expected = 1.0, 0.0, []
    for _ in range(4):
        gradient = 2 * weight + 0.01 * weight
        velocity = 0.9 * velocity + gradient
        weight -= 0.1 * (gradient + 0.9 * velocity)
        expected.append(weight)
    moved = _steps(Optimisation("sgd", 0.1, momentum=0.9, weight_decay=0.01), 4)
    assert moved == pytest.approx(expected, rel=1e-5)


def test_sgd_without_momentum_is_plain_descent():
    assert _steps(Optimisation("sgd", 0.1, momentum=0.0), 3) == pytest.approx([0.8, 0.64, 0.512])


def test_adam_begins_with_a_step_of_the_learning_rate():
    assert _steps(Optimisation("adam", 0.01), 1) == pytest.approx([0.99], rel=1e-5)


def test_adamw_shrinks_the_weight_itself():
    """Adam's first step is the learning rate whatever the gradient; the decay comes on top of it."""
    assert _steps(Optimisation("adamw", 0.01, weight_decay=0.5), 1) == pytest.approx([1 - 0.01 * 0.5 - 0.01])
    assert _steps(Optimisation("adam", 0.01, weight_decay=0.5), 1) == pytest.approx([0.99], rel=1e-5)


def test_adamw_is_that_of_torch():
    unit = nn.Linear(1, 1, bias=False)
    nn.init.ones_(unit.weight)
    optimiser = torch.optim.AdamW(unit.parameters(), lr=0.03, weight_decay=0.2)
    expected = []
    for _ in range(4):
        optimiser.zero_grad()
        unit.weight.square().sum().backward()
        optimiser.step()
        expected.append(unit.weight.item())
    assert _steps(Optimisation("adamw", 0.03, weight_decay=0.2), 4) == expected


def test_an_unknown_optimiser_is_refused():
    with pytest.raises(InputError, match="found 'lion'; expected one of adam, adamw, sgd"):
        Optimisation("lion")


@pytest.mark.parametrize("bound", [0, -5.0, float("nan")])
def test_a_bound_that_leaves_no_room_is_refused(bound):
    with pytest.raises(InputError, match=f"weight_bound: found {bound}; expected a number above 0"):
        Optimisation(weight_bound=bound)


def test_the_bound_cuts_all_that_is_learned_and_nothing_else():
    network = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.Linear(2, 2))
    state = network.state_dict()
    for value in state.values():
        value.copy_(torch.linspace(-9, 9, value.numel()).reshape(value.shape))
    network[2].requires_grad_(False)
    before = {name: value.clone() for name, value in state.items()}
    bound_weights(network, 5)
    learned = {"0.weight", "0.bias", "1.weight", "1.bias"}
    for name, value in state.items():
        expected = before[name].clamp(-5, 5) if name in learned else before[name]
        assert torch.equal(value, expected), name
    assert state["0.weight"].abs().max() == 5
    assert state["1.running_mean"].abs().max() == 9


@pytest.mark.parametrize("optimiser", ["adam", "adamw", "sgd"])
def test_weights_stay_within_the_bound_after_every_update(optimiser):
    """From 1, w² pulls towards 0 in small steps, so that only the bound brings it to 0.5 at once."""
    settings = {"optimiser": optimiser, "learning_rate": 0.01, "momentum": 0.0}
    free, bounded = _steps(Optimisation(**settings), 3), _steps(Optimisation(**settings, weight_bound=0.5), 3)
    assert free[0] > 0.97
    assert bounded[0] == 0.5
    assert bounded[1:] != [0.5, 0.5]
    assert max(map(abs, bounded)) <= 0.5


def test_the_cosine_falls_to_zero_as_that_of_torch():
    settings = Optimisation("sgd", 0.3, "cosine")
    optimiser = torch.optim.SGD([nn.Parameter(torch.ones(1))], lr=0.3)
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, 20)
    for step in range(20):
        assert settings.learning_rate_at(step / 20) == pytest.approx(
            optimiser.param_groups[0]["lr"], abs=1e-12
        )
        optimiser.step()
        scheduler.step()
    assert settings.learning_rate_at(1.0) == pytest.approx(0, abs=1e-15)
    assert Optimisation("sgd", 0.3).learning_rate_at(0.7) == 0.3


def test_only_kernels_decay_where_it_is_asked_for():
    """What Keras calls L2 of 1e-4 has the gradient 2e-4 w."""
    network = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2))
    optimiser = build_optimiser(
        network, Optimisation("sgd", 1.0, momentum=0, weight_decay=2e-4, decayed="kernels")
    )
    before = {name: weight.detach().clone() for name, weight in network.named_parameters()}
    (0 * sum(weight.sum() for weight in network.parameters())).backward()
    optimiser.step()
    after = dict(network.named_parameters())
    torch.testing.assert_close(after["0.weight"], (1 - 2e-4) * before.pop("0.weight"))
    assert len(before) == 3
    assert all(torch.equal(after[name], weight) for name, weight in before.items())


def _history(*losses, watch="validation_loss"):
    return [{"train_loss": 9.0, watch: loss} for loss in losses]


def test_the_rate_falls_when_the_watched_loss_does_not():
    plateau = Plateau(patience=2, factor=0.5)
    falling = [1.0, 0.9, 0.8, 0.7, 0.6]
    assert plateau.factor_after([]) == 1
    assert plateau.factor_after(_history(*falling)) == 1
    # Two epochs without improvement, then counted anew.
    stalled = [1.0, 1.0, 1.1, 1.0, 1.2, 1.0]
    factors = [plateau.factor_after(_history(*stalled[:epochs])) for epochs in range(7)]
    assert factors == [1, 1, 1, 0.5, 0.5, 0.25, 0.25]
    # An improvement in between, but too small a one does not count.
    assert plateau.factor_after(_history(1.0, 1.0, 0.9, 0.95)) == 1
    assert plateau.factor_after(_history(1.0, 0.99995, 0.9999)) == 0.5
    assert plateau.factor_after(_history(1.0, 0.9998, 0.9996)) == 1


def test_the_plateau_is_that_of_torch_but_for_its_count_of_epochs():
    """Torch lowers the rate one epoch later than Keras, so its patience is one less."""
    rng = torch.Generator().manual_seed(3)
    losses = (1 + torch.rand(60, generator=rng)).tolist()
    optimiser = torch.optim.SGD([nn.Parameter(torch.ones(1))], lr=1.0)
    scheduler = torch.optim.lr_scheduler.ReduceLROnPlateau(
        optimiser, factor=0.95, patience=2, threshold=1e-4, threshold_mode="abs"
    )
    plateau = Plateau(patience=3, factor=0.95)
    for epoch, loss in enumerate(losses):
        scheduler.step(loss)
        expected = optimiser.param_groups[0]["lr"]
        assert plateau.factor_after(_history(*losses[: epoch + 1])) == pytest.approx(expected)
    assert expected < 0.5


def test_without_validation_the_loss_of_training_is_watched():
    plateau = Plateau(patience=1, factor=0.1)
    assert plateau.factor_after(_history(1.0, 0.9, watch="other")) == pytest.approx(0.1)
    assert Plateau(1, 0.1, watch="train_loss").factor_after(_history(1.0, 0.9)) == pytest.approx(0.1)


def test_the_warm_up_rises_evenly_to_the_full_rate():
    pace = Pace(warmup_epochs=2, plateau=Plateau(patience=1, factor=0.5))
    factors = [pace.factor((update + 1) / 4, _history(1.0)) for update in range(10)]
    assert factors == pytest.approx([0.125, 0.25, 0.375, 0.5, 0.625, 0.75, 0.875, 1, 1, 1])
    assert pace.factor(1.0, _history(1.0, 1.0)) == pytest.approx(0.25)
    assert Pace().factor(0.01, []) == 1
