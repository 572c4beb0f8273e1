"""Image encoders in OpenCLIP's layout give what an independent forward on the same weights gives."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from torch import Tensor

from radvqa.errors import RecipeError, WeightsError
from radvqa.models.clip_resnet import ClipResNet, ClipResNetSize
from radvqa.models.vision import VisionSpec, VisionTower, feature_sizes

SIZE, HEADS, PATCH, SIDE = 128, 2, 8, 32  # a timm transformer's heads are 64 wide
CLIP_MEAN, CLIP_STD = (0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)


def _random(*shape: int, seed: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed)).div(float(shape[-1]) ** 0.5)


def _timm(depth: int = 2) -> dict[str, Tensor]:
    """A vision transformer with timm's names, and the text side and projection that stand beside it."""
    shapes: dict[str, tuple[int, ...]] = {
        "cls_token": (1, 1, SIZE),
        "pos_embed": (1, (SIDE // PATCH) ** 2 + 1, SIZE),
        "patch_embed.proj.weight": (SIZE, 3, PATCH, PATCH),
        "patch_embed.proj.bias": (SIZE,),
        "norm.weight": (SIZE,),
        "norm.bias": (SIZE,),
    }
    for block in range(depth):
        for layer, outputs, inputs in (
            ("attn.qkv", 3 * SIZE, SIZE),
            ("attn.proj", SIZE, SIZE),
            ("mlp.fc1", 2 * SIZE, SIZE),
            ("mlp.fc2", SIZE, 2 * SIZE),
        ):
            shapes[f"blocks.{block}.{layer}.weight"] = (outputs, inputs)
            shapes[f"blocks.{block}.{layer}.bias"] = (outputs,)
        for layer in ("norm1", "norm2"):
            shapes[f"blocks.{block}.{layer}.weight"] = shapes[f"blocks.{block}.{layer}.bias"] = (SIZE,)
    state = {f"visual.trunk.{name}": _random(*shape, seed=place) for place, (name, shape) in enumerate(shapes.items())}
    rest = {"visual.head.proj.weight": torch.zeros(16, SIZE), "text.transformer.a": torch.zeros(1)}
    return {**state, **rest, "logit_scale": torch.zeros(())}


def _timm_forward(state: dict[str, Tensor], images: Tensor) -> Tensor:
    """Pre-norm blocks with one matrix for query, key and value: ``(b, 3, s, s)`` → normalised ``(b, n + 1, d)``."""
    w = {name.removeprefix("visual.trunk."): tensor for name, tensor in state.items()}

    def linear(name: str, x: Tensor) -> Tensor:
        return x @ w[f"{name}.weight"].T + w[f"{name}.bias"]

    def norm(name: str, x: Tensor) -> Tensor:
        centred = x - x.mean(-1, keepdim=True)
        spread = (centred.square().mean(-1, keepdim=True) + 1e-6).sqrt()
        return centred / spread * w[f"{name}.weight"] + w[f"{name}.bias"]

    patches = F.conv2d(images, w["patch_embed.proj.weight"], w["patch_embed.proj.bias"], stride=PATCH)
    x = torch.cat([w["cls_token"].expand(len(images), -1, -1), patches.flatten(2).mT], 1) + w["pos_embed"]
    for block in range(2):
        qkv = linear(f"blocks.{block}.attn.qkv", norm(f"blocks.{block}.norm1", x))
        q, k, v = qkv.reshape(*x.shape[:2], 3, HEADS, SIZE // HEADS).permute(2, 0, 3, 1, 4)
        attended = (q @ k.mT / (SIZE // HEADS) ** 0.5).softmax(-1) @ v
        x = x + linear(f"blocks.{block}.attn.proj", attended.transpose(1, 2).reshape(x.shape))
        x = x + linear(
            f"blocks.{block}.mlp.fc2", F.gelu(linear(f"blocks.{block}.mlp.fc1", norm(f"blocks.{block}.norm2", x)))
        )
    return norm("norm", x)


def _pixels(side: int = SIDE) -> Tensor:
    return torch.from_numpy(np.random.default_rng(0).integers(0, 256, (2, side, side, 3), np.uint8))


def _normalised(pixels: Tensor, mean: tuple[float, ...], std: tuple[float, ...]) -> Tensor:
    values = (pixels.double() / 255 - torch.tensor(mean).double()) / torch.tensor(std).double()
    return values.permute(0, 3, 1, 2).float()


def _tower(folder: Path, pooling: str = "cls") -> VisionTower:
    return VisionTower(VisionSpec(str(folder), pooling=pooling)).eval()  # type: ignore[arg-type]


def _write_biomedclip(folder: Path, state: dict[str, Tensor], config: dict[str, object]) -> Path:
    folder.mkdir()
    save_file(state, folder / "open_clip_model.safetensors")
    (folder / "open_clip_config.json").write_text(json.dumps(config))
    return folder


@pytest.mark.parametrize(
    ("config", "mean", "std"),
    [
        ({"preprocess_cfg": {"mean": [0.1, 0.2, 0.3], "std": [0.5, 0.6, 0.7]}}, (0.1, 0.2, 0.3), (0.5, 0.6, 0.7)),
        ({"model_cfg": {}}, CLIP_MEAN, CLIP_STD),
    ],
)
def test_a_timm_transformer_gives_what_timm_gives(
    tmp_path: Path, config: dict[str, object], mean: tuple[float, ...], std: tuple[float, ...]
) -> None:
    state = _timm()
    tower = _tower(_write_biomedclip(tmp_path / "biomedclip", state, config))
    with torch.inference_mode():
        patches, pooled = tower.tokens(_pixels())
        expected = _timm_forward(state, _normalised(_pixels(), mean, std))
    torch.testing.assert_close(patches, expected[:, 1:], rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(pooled, expected[:, 0], rtol=1e-4, atol=1e-4)
    assert expected.std() > 0.1
    with pytest.raises(RecipeError, match=r"has no pooler of its own; use model.pooling: cls or mean"):
        _tower(tmp_path / "biomedclip", "pooler").tokens(_pixels())


def test_half_precision_weights_are_loaded_in_full(tmp_path: Path) -> None:
    state = {name: tensor.half() for name, tensor in _timm().items()}
    tower = _tower(_write_biomedclip(tmp_path / "biomedclip", state, {}))
    assert {parameter.dtype for parameter in tower.parameters()} == {torch.float32}


@pytest.mark.parametrize("change", ["lacking", "unknown", "cut off"])
def test_weights_that_do_not_fit_are_refused(tmp_path: Path, change: str) -> None:
    state = _timm()
    if change == "lacking":
        del state["visual.trunk.blocks.1.norm2.bias"]
    if change == "unknown":
        state["visual.trunk.norm_pre.weight"] = torch.ones(SIZE)
    folder = _write_biomedclip(tmp_path / "biomedclip", state, {})
    if change == "cut off":
        path = folder / "open_clip_model.safetensors"
        path.write_bytes(path.read_bytes()[:-100])
    says = {"lacking": r"layers.1.layernorm_after.bias", "unknown": r"norm_pre.weight", "cut off": "is damaged or cut"}
    with pytest.raises(WeightsError, match=says[change]):
        _tower(folder)


def test_several_files_of_weights_are_not_guessed_among(tmp_path: Path) -> None:
    for name in ("a", "b"):
        save_file(_timm(), tmp_path / f"{name}.safetensors")
    with pytest.raises(WeightsError, match="holds 2 files of weights"):
        _tower(tmp_path)


def _resnet(**changes: int) -> ClipResNet:
    """A small modified ResNet whose normalisation layers are not the identity."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = ClipResNet(ClipResNetSize(depths=(1, 2, 1, 1), width=8, outputs=24, image_size=64, **changes))
        for name, tensor in model.state_dict().items():
            if name.endswith(("running_mean", "bias")):
                tensor.normal_(std=0.1)
            if name.endswith("running_var"):
                tensor.uniform_(0.5, 1.5)
            if name.endswith(("q_proj.weight", "k_proj.weight", "positional_embedding")):
                tensor.normal_(std=0.3)  # so that places are attended to unequally
    return model.eval()


def _resnet_forward(state: dict[str, Tensor], images: Tensor, heads: int) -> tuple[Tensor, Tensor]:
    """The same net, spelled out on its state dict, with attention by ``torch``'s own function."""

    def conv(x: Tensor, place: str, conv: str, norm: str, stride: int = 1) -> Tensor:
        weight = state[f"{place}{conv}.weight"]
        x = F.conv2d(x, weight, stride=stride, padding=weight.shape[-1] // 2)
        mean, var = state[f"{place}{norm}.running_mean"], state[f"{place}{norm}.running_var"]
        return F.batch_norm(x, mean, var, state[f"{place}{norm}.weight"], state[f"{place}{norm}.bias"])

    x = images
    for number in (1, 2, 3):
        x = conv(x, "", f"conv{number}", f"bn{number}", stride=2 if number == 1 else 1).relu()
    x = F.avg_pool2d(x, 2)
    for stage, depth in enumerate((1, 2, 1, 1), start=1):
        for block in range(depth):
            place, stride = f"layer{stage}.{block}.", 2 if block == 0 and stage > 1 else 1
            y = conv(x, place, "conv1", "bn1").relu()
            y = F.avg_pool2d(conv(y, place, "conv2", "bn2").relu(), stride)
            y = conv(y, place, "conv3", "bn3")
            if block == 0:
                x = conv(F.avg_pool2d(x, stride), place, "downsample.0", "downsample.1")
            x = (x + y).relu()
    tokens = x.flatten(2).permute(2, 0, 1)
    tokens = torch.cat([tokens.mean(0, keepdim=True), tokens]) + state["attnpool.positional_embedding"][:, None]
    w = {name.removeprefix("attnpool."): tensor for name, tensor in state.items()}
    pooled, _ = F.multi_head_attention_forward(
        tokens,
        tokens,
        tokens,
        embed_dim_to_check=tokens.shape[-1],
        num_heads=heads,
        in_proj_weight=None,
        in_proj_bias=torch.cat([w["q_proj.bias"], w["k_proj.bias"], w["v_proj.bias"]]),
        bias_k=None,
        bias_v=None,
        add_zero_attn=False,
        dropout_p=0,
        out_proj_weight=w["c_proj.weight"],
        out_proj_bias=w["c_proj.bias"],
        training=False,
        need_weights=False,
        use_separate_proj_weight=True,
        q_proj_weight=w["q_proj.weight"],
        k_proj_weight=w["k_proj.weight"],
        v_proj_weight=w["v_proj.weight"],
    )
    return x, pooled[0]


@pytest.mark.parametrize(("entrance", "head_width"), [("visual.", 64), ("module.visual.", 64), ("", 64), ("", 128)])
def test_a_modified_resnet_is_understood_with_whatever_stands_before_its_names(
    tmp_path: Path, entrance: str, head_width: int
) -> None:
    state = _resnet().state_dict()
    rest = {"module.text.a" if "module" in entrance else "text.a": torch.zeros(1)} if entrance else {}
    save_file({**{f"{entrance}{name}": tensor for name, tensor in state.items()}, **rest}, tmp_path / "any.safetensors")
    if head_width != 64:
        config = {"model_cfg": {"vision_cfg": {"head_width": head_width}}}
        (tmp_path / "open_clip_config.json").write_text(json.dumps(config))
    tower = _tower(tmp_path, "pooler")
    with torch.inference_mode():
        patches, pooled = tower.tokens(_pixels(64))
        images = _normalised(_pixels(64), CLIP_MEAN, CLIP_STD)
        map_, expected = _resnet_forward(state, images, heads=256 // head_width)
    torch.testing.assert_close(patches, map_.flatten(2).mT, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(pooled, expected, rtol=1e-4, atol=1e-4)
    assert expected.std() > 1e-3
    assert feature_sizes(tower, 64) == (4, 256, 24)
    assert tower.has_batch_norm


def test_a_picture_of_another_size_says_which_one_fits() -> None:
    with pytest.raises(RecipeError, match=r"set model.image_size to 64"):
        _resnet()(torch.zeros(1, 3, 96, 96))


@pytest.mark.parametrize(("outputs", "count"), [(1024, 38_316_896), (768, 37_792_352)])
def test_the_modified_resnet_of_50_layers_has_its_published_size(outputs: int, count: int) -> None:
    with torch.device("meta"):
        model = ClipResNet(ClipResNetSize(outputs=outputs))
    assert sum(parameter.numel() for parameter in model.parameters()) == count
