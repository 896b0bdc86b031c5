"""Numbers of parameters that networks were published with."""

# For 1000 classes, colour and with all auxiliary heads, as torchvision's documentation has them; LeNet-5 for
# 10 classes of grey images (LeCun et al. 1998); strided_cnn for 3 classes of grey images of 512 pixels a
# side, as its report prints it.
PUBLISHED_PARAMETERS = {
    "lenet5": 61_706,
    "alexnet": 61_100_840,
    "vgg16": 138_357_544,
    "vgg19": 143_667_240,
    "googlenet": 13_004_888,
    "inception_v3": 27_161_264,
    "resnet18": 11_689_512,
    "resnet34": 21_797_672,
    "resnet50": 25_557_032,
    "resnet101": 44_549_160,
    "densenet121": 7_978_856,
    "strided_cnn": 5_238_147,
}
