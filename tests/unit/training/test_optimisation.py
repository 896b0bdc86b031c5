import pytest
import torch
from torch import nn

from medscale.training.optimisation import Optimisation, build_optimiser


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
