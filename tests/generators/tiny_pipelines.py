"""Diffusion pipelines of every family, small and random, as diffusers saves them."""

import contextlib
from pathlib import Path

import diffusers
import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors
from transformers import (
    CLIPTextConfig,
    CLIPTextModel,
    CLIPTextModelWithProjection,
    Gemma2Config,
    Gemma2Model,
    PreTrainedTokenizerFast,
    T5Config,
    T5EncoderModel,
)

SPECIAL = ["<pad>", "<s>", "</s>", "<unk>"]
WIDTH = 16


def build(name: str) -> diffusers.DiffusionPipeline:
    """One of PIPELINES with random weights; the same every time."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return PIPELINES[name]()


def save(name: str, folder: Path) -> Path:
    """``build`` in safetensors; returns the folder."""
    build(name).save_pretrained(folder)
    return folder


def tokenizer(length: int = 16) -> PreTrainedTokenizerFast:
    """One token a byte, then the end token."""
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {token: index for index, token in enumerate(SPECIAL + letters)}
    inner = Tokenizer(models.BPE(vocab=vocabulary, merges=[], unk_token="<unk>"))
    inner.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    inner.decoder = decoders.ByteLevel()
    inner.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", special_tokens=[("<s>", 1), ("</s>", 2)]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=inner,
        pad_token="<pad>",
        bos_token="<s>",
        eos_token="</s>",
        unk_token="<unk>",
        model_max_length=length,
    )


def clip_config() -> CLIPTextConfig:
    return CLIPTextConfig(
        vocab_size=len(tokenizer()),
        hidden_size=WIDTH,
        intermediate_size=WIDTH,
        projection_dim=WIDTH,
        num_hidden_layers=2,
        num_attention_heads=2,
        max_position_embeddings=16,
        pad_token_id=0,
        bos_token_id=1,
        eos_token_id=2,
    )


def t5() -> T5EncoderModel:
    return T5EncoderModel(
        T5Config(
            vocab_size=len(tokenizer()),
            d_model=WIDTH,
            d_kv=8,
            d_ff=WIDTH,
            num_layers=1,
            num_heads=2,
        )
    ).eval()


def unet(**changes: object) -> diffusers.UNet2DConditionModel:
    return diffusers.UNet2DConditionModel(
        **{
            "sample_size": 8,
            "block_out_channels": (8, WIDTH),
            "layers_per_block": 1,
            "down_block_types": ("DownBlock2D", "CrossAttnDownBlock2D"),
            "up_block_types": ("CrossAttnUpBlock2D", "UpBlock2D"),
            "cross_attention_dim": WIDTH,
            "attention_head_dim": 2,
            "norm_num_groups": 4,
            **changes,
        }
    )


def vae(**changes: object) -> diffusers.AutoencoderKL:
    return diffusers.AutoencoderKL(
        **{
            "block_out_channels": (8, 8),
            "down_block_types": ("DownEncoderBlock2D",) * 2,
            "up_block_types": ("UpDecoderBlock2D",) * 2,
            "latent_channels": 4,
            "norm_num_groups": 4,
            "sample_size": 16,
            **changes,
        }
    )


def ancestral() -> diffusers.EulerAncestralDiscreteScheduler:
    return diffusers.EulerAncestralDiscreteScheduler(timestep_spacing="trailing")


def stable_diffusion(scheduler=None) -> diffusers.StableDiffusionPipeline:
    return diffusers.StableDiffusionPipeline(
        vae=vae(),
        text_encoder=CLIPTextModel(clip_config()).eval(),
        tokenizer=tokenizer(),
        unet=unet(),
        scheduler=scheduler or ancestral(),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )


def stable_diffusion_xl() -> diffusers.StableDiffusionXLPipeline:
    return diffusers.StableDiffusionXLPipeline(
        vae=vae(),
        text_encoder=CLIPTextModel(clip_config()).eval(),
        text_encoder_2=CLIPTextModelWithProjection(clip_config()).eval(),
        tokenizer=tokenizer(),
        tokenizer_2=tokenizer(),
        unet=unet(
            addition_embed_type="text_time",
            addition_time_embed_dim=8,
            projection_class_embeddings_input_dim=6 * 8 + WIDTH,
            cross_attention_dim=2 * WIDTH,
        ),
        scheduler=ancestral(),
        add_watermarker=False,
    )


def latent_consistency() -> diffusers.LatentConsistencyModelPipeline:
    return diffusers.LatentConsistencyModelPipeline(
        vae=vae(),
        text_encoder=CLIPTextModel(clip_config()).eval(),
        tokenizer=tokenizer(),
        unet=unet(time_cond_proj_dim=8),
        scheduler=diffusers.LCMScheduler(),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )


def pixart() -> diffusers.PixArtAlphaPipeline:
    return diffusers.PixArtAlphaPipeline(
        tokenizer=tokenizer(),
        text_encoder=t5(),
        vae=vae(),
        transformer=diffusers.PixArtTransformer2DModel(
            sample_size=8,
            num_layers=1,
            num_attention_heads=2,
            attention_head_dim=4,
            cross_attention_dim=8,
            caption_channels=WIDTH,
            in_channels=4,
            out_channels=8,
        ),
        scheduler=diffusers.LCMScheduler(),
    )


def sana_sprint() -> diffusers.SanaSprintPipeline:
    text = Gemma2Config(
        vocab_size=len(tokenizer()),
        hidden_size=WIDTH,
        intermediate_size=WIDTH,
        num_hidden_layers=1,
        num_attention_heads=2,
        num_key_value_heads=1,
        head_dim=8,
        max_position_embeddings=4096,
        pad_token_id=0,
        bos_token_id=1,
        eos_token_id=2,
    )
    return diffusers.SanaSprintPipeline(
        tokenizer=tokenizer(length=4096),
        text_encoder=Gemma2Model(text).eval(),
        vae=diffusers.AutoencoderDC(
            latent_channels=4,
            attention_head_dim=2,
            encoder_block_types=("ResBlock", "ResBlock"),
            decoder_block_types=("ResBlock", "ResBlock"),
            encoder_block_out_channels=(8, 8),
            decoder_block_out_channels=(8, 8),
            encoder_layers_per_block=(1, 1),
            decoder_layers_per_block=(1, 1),
            encoder_qkv_multiscales=((), ()),
            decoder_qkv_multiscales=((), ()),
            downsample_block_type="conv",
            upsample_block_type="interpolate",
        ),
        transformer=diffusers.SanaTransformer2DModel(
            in_channels=4,
            out_channels=4,
            num_layers=1,
            num_attention_heads=2,
            attention_head_dim=4,
            num_cross_attention_heads=2,
            cross_attention_head_dim=4,
            cross_attention_dim=8,
            caption_channels=WIDTH,
            sample_size=16,
            patch_size=1,
            guidance_embeds=True,
        ),
        scheduler=diffusers.SCMScheduler(),
    )


def flux() -> diffusers.FluxPipeline:
    return diffusers.FluxPipeline(
        scheduler=diffusers.FlowMatchEulerDiscreteScheduler(),
        vae=vae(use_quant_conv=False, use_post_quant_conv=False, shift_factor=0.1),
        text_encoder=CLIPTextModel(clip_config()).eval(),
        tokenizer=tokenizer(),
        text_encoder_2=t5(),
        tokenizer_2=tokenizer(length=512),
        transformer=diffusers.FluxTransformer2DModel(
            patch_size=1,
            in_channels=16,
            num_layers=1,
            num_single_layers=1,
            attention_head_dim=16,
            num_attention_heads=2,
            joint_attention_dim=WIDTH,
            pooled_projection_dim=WIDTH,
            axes_dims_rope=(4, 4, 8),
        ),
    )


PIPELINES = {
    "sd": stable_diffusion,
    "sdxl": stable_diffusion_xl,
    "lcm": latent_consistency,
    "pixart": pixart,
    "sana": sana_sprint,
    "flux": flux,
}


@contextlib.contextmanager
def drawing(pipeline: diffusers.DiffusionPipeline, noises: list[torch.Tensor], monkeypatch):
    """The pipeline's scheduler draws these noises, one after another."""
    module = type(pipeline.scheduler).__module__
    queue = list(noises)

    def next_noise(shape, **_options):
        noise = queue.pop(0)
        assert tuple(noise.shape) == tuple(shape)
        return noise

    with monkeypatch.context() as patch:
        patch.setattr(f"{module}.randn_tensor", next_noise)
        yield queue
