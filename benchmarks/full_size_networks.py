"""Networks of the published sizes with random weights, as files that evo-t2i reads."""

import json
import string
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch import nn

ROOT = Path(__file__).resolve().parents[1]
CLIP = "ViT-B-32-quickgelu"
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
"""ImageNet's, as torchvision gives them."""


@dataclass(frozen=True)
class Networks:
    """Where the networks lie; each of the size that is published."""

    generator: str
    """For ``--generator``."""
    generator_options: dict[str, dict[str, str]]
    """Its options."""
    clip: Path
    """ViT-B/32 in open_clip's form."""
    classifier: Path
    """torchvision's VGG-19_bn with 1,000 labels."""
    embedder: Path
    """BERT-base, in the form of transformers."""

    def options(self) -> dict[str, Any]:
        """As ``evo_t2i.sample`` takes them."""
        return {
            "generator": self.generator,
            "options": self.generator_options,
            "clip": f"local-dir:{self.clip}",
            "classifier": str(self.classifier),
            "embedder": str(self.embedder),
        }


def make_networks(folder: Path, generator: str, dtype: str) -> Networks:
    """Write into ``folder`` what is not there yet; ``generator`` is ``lafite`` or ``sd-turbo``.

    ``dtype`` is that in which the weights of ``sd-turbo`` are used.
    """
    folder.mkdir(parents=True, exist_ok=True)
    clip, classifier, embedder = (folder / name for name in ("clip", "vgg19_bn", "bert-base"))
    made = {clip: _write_clip, classifier: _write_classifier, embedder: _write_embedder}
    if generator == "lafite":
        checkpoint = folder / "lafite-256.pkl"
        made[checkpoint] = _write_lafite
        spec, options = f"lafite:{checkpoint}", {"lafite": {"clip": str(clip)}}
    else:
        checkpoint = folder / "sd-turbo"
        made[checkpoint] = _write_sd_turbo
        spec, options = f"diffusers:{checkpoint}", {"diffusers": {"dtype": dtype}}
    for path, write in made.items():
        if not path.exists():
            torch.manual_seed(0)
            partial = path.with_name(f"{path.name}.part")
            write(partial)
            partial.rename(path)
    return Networks(spec, options, clip, classifier, embedder)


def _write_lafite(path: Path) -> None:
    """LAFITE's generator at 256 pixels, 45 million parameters, in the form of its snapshots."""
    sys.path.insert(0, str(ROOT / "tests"))
    from foreign_checkpoints import make_generator, write_checkpoint

    synthesis = {"channel_base": 32768, "channel_max": 512, "num_fp16_res": 4, "conv_clamp": 256}
    arguments = {
        "z_dim": 512,
        "c_dim": 0,
        "w_dim": 512,
        "img_resolution": 256,
        "img_channels": 3,
        "m_layer_features": 512,
        "m_num_layers": 8,
        "mapping_kwargs": {"num_layers": 8},
        "synthesis_kwargs": synthesis | {"change": 256, "f_dim": 512},
    }
    write_checkpoint(path, (make_generator(arguments), arguments))


def _write_clip(folder: Path) -> None:
    import open_clip

    model = open_clip.create_model(CLIP)
    preprocessing = {"mean": open_clip.OPENAI_DATASET_MEAN, "std": open_clip.OPENAI_DATASET_STD}
    described = {"model_cfg": open_clip.get_model_config(CLIP), "preprocess_cfg": preprocessing}
    folder.mkdir()
    (folder / "open_clip_config.json").write_text(json.dumps(described))
    save_file(model.state_dict(), folder / "open_clip_model.safetensors")


def _write_classifier(folder: Path) -> None:
    """Random logits hardly differ; the last layer is scaled until the scores do."""
    from torchvision.models import VGG19_BN_Weights, vgg19_bn

    model = vgg19_bn().eval()
    last = model.classifier[-1]
    assert isinstance(last, nn.Linear)
    with torch.no_grad():
        noise = torch.randn(16, 3, 224, 224)
        logits = model(noise + 2 * torch.randn(16, 3, 1, 1))
        gain = 3 / logits.std(dim=0).mean()
        last.weight *= gain
        last.bias -= logits.mean(dim=0) * gain
    config = {
        "architecture": "vgg19_bn",
        "labels": VGG19_BN_Weights.IMAGENET1K_V1.meta["categories"],
        "image_size": 224,
        "mean": MEAN,
        "std": STD,
    }
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps(config))
    save_file(model.state_dict(), folder / "model.safetensors")


def _write_embedder(folder: Path) -> None:
    """BERT-base, 110 million parameters, and a tokenizer that knows letters."""
    from transformers import BertConfig, BertModel, BertTokenizerFast

    letters = string.ascii_lowercase + string.digits
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *string.punctuation, *letters]
    words += [f"##{letter}" for letter in letters]
    config = BertConfig()
    words += [f"[unused{index}]" for index in range(config.vocab_size - len(words))]
    folder.mkdir()
    vocabulary = folder / "vocab.txt"
    vocabulary.write_text("\n".join(words) + "\n")
    BertTokenizerFast(str(vocabulary), model_max_length=512).save_pretrained(folder)
    BertModel(config).save_pretrained(folder)


def _write_sd_turbo(folder: Path) -> None:
    """A pipeline of SD-Turbo's sizes: 512 pixels, latents (4, 64, 64), 1.3 billion parameters."""
    import diffusers
    from transformers import CLIPTextConfig, CLIPTextModel

    sys.path.insert(0, str(ROOT / "tests" / "generators"))
    from tiny_pipelines import tokenizer

    known = tokenizer(77)
    text = CLIPTextConfig(
        vocab_size=49408,
        hidden_size=1024,
        intermediate_size=4096,
        num_hidden_layers=23,
        num_attention_heads=16,
        hidden_act="gelu",
        pad_token_id=known.pad_token_id,
        bos_token_id=known.bos_token_id,
        eos_token_id=known.eos_token_id,
    )
    wide = (320, 640, 1280, 1280)
    pipeline = diffusers.StableDiffusionPipeline(
        vae=diffusers.AutoencoderKL(
            block_out_channels=(128, 256, 512, 512),
            down_block_types=("DownEncoderBlock2D",) * 4,
            up_block_types=("UpDecoderBlock2D",) * 4,
            layers_per_block=2,
            latent_channels=4,
            sample_size=512,
        ),
        text_encoder=CLIPTextModel(text),
        tokenizer=known,
        unet=diffusers.UNet2DConditionModel(
            sample_size=64,
            block_out_channels=wide,
            attention_head_dim=tuple(width // 64 for width in wide),
            cross_attention_dim=1024,
            use_linear_projection=True,
        ),
        scheduler=diffusers.EulerDiscreteScheduler(
            beta_start=0.00085,
            beta_end=0.012,
            beta_schedule="scaled_linear",
            timestep_spacing="trailing",
            steps_offset=1,
        ),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )
    pipeline.save_pretrained(folder)
