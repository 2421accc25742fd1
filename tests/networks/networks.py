"""Networks of torchvision and timm for the table: a small member of each family, with a small input."""

from collections.abc import Callable
from typing import Any

import torch
from torch import nn
from torchvision.models import swin_transformer as swin

from pipeline.model.build import build, freeze

# name → side of the input, arguments beside it
TORCHVISION: dict[str, tuple[int, dict[str, Any]]] = {
    "alexnet": (96, {}),
    "vgg11": (64, {}),
    "vgg11_bn": (64, {}),
    "squeezenet1_0": (96, {}),
    "squeezenet1_1": (96, {}),
    "resnet18": (64, {}),
    "resnet50": (64, {}),
    "resnext50_32x4d": (64, {}),
    "densenet121": (64, {}),
    "googlenet": (64, {"aux_logits": False, "init_weights": False}),
    "inception_v3": (96, {"aux_logits": False, "init_weights": False}),
    "mobilenet_v2": (64, {}),
    "mobilenet_v3_small": (64, {}),
    "shufflenet_v2_x0_5": (64, {}),
    "mnasnet0_5": (64, {}),
    "efficientnet_b0": (64, {}),
    "regnet_x_400mf": (64, {}),
    "regnet_y_400mf": (64, {}),
    "convnext_tiny": (64, {}),
    "swin_t": (64, {}),
    "swin_v2_t": (64, {}),
    "VisionTransformer": (
        64,
        {"image_size": 64, "patch_size": 8, "num_layers": 4, "num_heads": 3, "hidden_dim": 48, "mlp_dim": 96},
    ),
    "MaxVit": (
        64,
        {
            "input_size": (64, 64),
            "stem_channels": 16,
            "partition_size": 4,
            "block_channels": [16, 32],
            "block_layers": [1, 1],
            "head_dim": 8,
            "stochastic_depth_prob": 0.0,
        },
    ),
}
SIZED = {"img_size": 64}
TIMM: dict[str, tuple[int, dict[str, Any]]] = {
    **dict.fromkeys(
        (
            *("resnet10t", "resnet26d", "seresnext26d_32x4d", "skresnet18", "resnest14d", "res2net50_14w_8s"),
            *("hrnet_w18_small", "dla46_c", "ese_vovnet19b_dw", "cs3darknet_s", "eca_nfnet_l0", "nf_resnet26"),
            *("repvgg_a0", "mobileone_s0", "ghostnet_100", "lcnet_050", "tinynet_e", "mnasnet_small", "fbnetc_100"),
            *("rexnet_100", "efficientnet_lite0", "tf_efficientnetv2_b0", "gernet_s", "mobilenetv4_conv_small"),
            *("poolformer_s12", "convnext_atto", "convnextv2_atto", "edgenext_xx_small", "mobilevit_xxs"),
            *("mobilevitv2_050", "fastvit_t8", "pvt_v2_b0", "mambaout_femto", "hgnetv2_b0", "starnet_s1"),
            *("inception_next_atto", "repvit_m0_9", "focalnet_tiny_srf", "visformer_tiny", "regnetz_005"),
        ),
        (64, {}),
    ),
    **dict.fromkeys(
        (
            *("vit_tiny_patch16_224", "deit_tiny_patch16_224", "deit_tiny_distilled_patch16_224", "convit_tiny"),
            *("cait_xxs24_224", "xcit_nano_12_p16_224", "mixer_s32_224", "resmlp_12_224", "gmlp_ti16_224"),
            *("pit_ti_224", "swinv2_cr_tiny_ns_224", "tnt_s_legacy_patch16_224"),
        ),
        (64, SIZED),
    ),
    "vit_small_patch14_reg4_dinov2": (56, {"img_size": 56, "depth": 4}),
    "eva02_tiny_patch14_224": (56, {"img_size": 56}),
    "beit_base_patch16_224": (64, {"img_size": 64, "depth": 3, "embed_dim": 96, "num_heads": 3}),
    "vit_base_patch16_siglip_224": (64, {"img_size": 64, "depth": 3, "embed_dim": 96, "num_heads": 3}),
    "swin_tiny_patch4_window7_224": (56, {"img_size": 56}),
    "levit_128s": (224, {}),
    "coat_lite_tiny": (64, SIZED),
    "maxvit_rmlp_pico_rw_256": (64, SIZED),
    "coatnet_nano_rw_224": (64, SIZED),
}


def torchvision_network(name: str) -> Callable[[], nn.Module]:
    """Builds a network of torchvision."""
    return lambda: usual(build({"_target_": f"torchvision.models.{name}", "num_classes": 10, **TORCHVISION[name][1]}))


def small_swin(version: int) -> nn.Module:
    """A Swin Transformer of torchvision with two stages of 16 × 16 and 8 × 8 positions for 64 pixels."""
    block, merging = (
        (swin.SwinTransformerBlock, swin.PatchMerging)
        if version == 1
        else (swin.SwinTransformerBlockV2, swin.PatchMergingV2)
    )
    with torch.random.fork_rng():
        torch.manual_seed(0)
        module = swin.SwinTransformer(
            [4, 4],
            24,
            [2, 2],
            [2, 2],
            [4, 4],
            stochastic_depth_prob=0.0,
            num_classes=10,
            block=block,
            downsample_layer=merging,
        )
    return usual(module)


def timm_network(name: str) -> Callable[[], nn.Module]:
    """Builds a network of timm."""
    arguments = {"model_name": name, "num_classes": 10, **TIMM[name][1]}
    return lambda: usual(build({"_target_": "timm.create_model", **arguments}))


def usual(module: nn.Module) -> nn.Module:
    """Freeze a network, with small random numbers for parameters that start at zero.

    Many networks start with residual branches that give zeros, so that nothing in there depends on the image.
    """
    generator = torch.Generator().manual_seed(0)
    for parameter in module.requires_grad_(False).parameters():
        if not parameter.any():
            parameter.data = 0.1 * torch.randn(parameter.shape, generator=generator)
        elif parameter.ndim == 1 and float(parameter.abs().max()) < 1e-3:  # layer scale
            parameter.data = 0.1 + 0.1 * torch.rand(parameter.shape, generator=generator)
    return freeze(module)
