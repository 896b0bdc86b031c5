import torch

from medscale.networks.classifiers.auxiliary import Outputs, combine_losses


def test_auxiliary_losses_are_added_with_their_weight():
    outputs = Outputs(torch.tensor([[1.0]]), (torch.tensor([[10.0]]), torch.tensor([[100.0]])), 0.3)
    assert combine_losses(outputs, torch.sum) == 1 + 0.3 * 110


def test_logits_alone_have_their_own_loss():
    assert combine_losses(torch.tensor([[2.0], [3.0]]), torch.mean) == 2.5
