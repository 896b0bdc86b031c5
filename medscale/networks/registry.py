"""Networks by name: the one place where a name in the configuration becomes a module."""

import torch
from torch import nn

from medscale.errors import InputError
from medscale.networks.classifiers import densenet, resnet, vgg
from medscale.networks.classifiers.alexnet import AlexNet
from medscale.networks.classifiers.googlenet import GoogLeNet
from medscale.networks.classifiers.inception_v3 import InceptionV3
from medscale.networks.classifiers.lenet import LeNet5
from medscale.networks.classifiers.strided_cnn import StridedCNN
from medscale.networks.classifiers.volume_cnn import VolumeCNN
from medscale.networks.generators import DCGANDiscriminator, DCGANGenerator
from medscale.networks.segmenters.deeplab import DeepLabV3Plus, DeepLabV3PlusDecoder
from medscale.networks.segmenters.denseunet_big import DenseUnetBig
from medscale.networks.segmenters.denseunet_small import DenseUnetSmall, DenseUnetSmallAsBuilt
from medscale.networks.segmenters.pspnet import PSPNetBig, PSPNetSmall
from medscale.networks.segmenters.unet2d import Unet2D
from medscale.networks.segmenters.unet3d import Unet3D
from medscale.networks.unet import UNet

CLASSIFIERS = {
    "lenet5": LeNet5,
    "alexnet": AlexNet,
    "vgg16": vgg.vgg16,
    "vgg19": vgg.vgg19,
    "googlenet": GoogLeNet,
    "inception_v3": InceptionV3,
    "resnet10": resnet.resnet10,
    "resnet18": resnet.resnet18,
    "resnet34": resnet.resnet34,
    "resnet50": resnet.resnet50,
    "resnet101": resnet.resnet101,
    "densenet121": densenet.densenet121,
    "strided_cnn": StridedCNN,
}
VOLUME_CLASSIFIERS = {"volume_cnn": VolumeCNN}
RESTORERS = {"unet": UNet}
SEGMENTERS = {
    "unet2d": Unet2D,
    "unet3d": Unet3D,
    "pspnet_small": PSPNetSmall,
    "pspnet_big": PSPNetBig,
    "denseunet_small": DenseUnetSmall,
    "denseunet_small_as_built": DenseUnetSmallAsBuilt,
    "denseunet_big": DenseUnetBig,
    "deeplabv3plus": DeepLabV3Plus,
    "deeplabv3plus_decoder": DeepLabV3PlusDecoder,
}
GENERATORS = {"dcgan_generator": DCGANGenerator}
DISCRIMINATORS = {"dcgan_discriminator": DCGANDiscriminator}
NETWORKS = CLASSIFIERS | VOLUME_CLASSIFIERS | RESTORERS | SEGMENTERS | GENERATORS | DISCRIMINATORS


def build_network(name: str, seed: int, **settings) -> nn.Module:
    """Return the network called `name` with weights drawn from `seed`.

    Raises
    ------
    InputError
        If no network has this name.
    """
    if name not in NETWORKS:
        raise InputError("network.name", repr(name), f"one of {', '.join(NETWORKS)}", "Correct the name.")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return NETWORKS[name](**settings)
