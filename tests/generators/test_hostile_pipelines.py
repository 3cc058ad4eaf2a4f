"""Pipelines that bring code, that draw nothing, or whose scheduler does not fit."""

import json
import os
import shutil
import subprocess
import sys

import pytest
import torch

from evo_t2i.errors import ModelError, UsageError

diffusers = pytest.importorskip(
    "diffusers", reason='diffusers is not installed; pip install "evo-t2i[diffusers]"'
)
from tiny_pipelines import save, stable_diffusion, unet  # noqa: E402

from evo_t2i.generators.diffusers import DiffusersGenerator  # noqa: E402

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    return save("sd", tmp_path_factory.mktemp("pipelines") / "sd")


@pytest.fixture
def folder(plain, tmp_path):
    """A copy with Python in every folder, which would leave the file ``canary``."""
    copy = shutil.copytree(plain, tmp_path / "a, b=1" / "sd")
    code = (
        f"open({str(tmp_path / 'canary')!r}, 'w').close()\n"
        "class T:\n"
        "    from_pretrained = classmethod(lambda cls, *a, **k: cls())\n"
        "    register_for_auto_class = classmethod(lambda cls, *a: None)\n"
    )
    for place in (copy, *(path for path in copy.iterdir() if path.is_dir())):
        for name in ("evil.py", "None.py", "pipeline.py"):
            (place / name).write_text(code)
    return copy


def change(path, **values):
    found = json.loads(path.read_text()) if path.exists() else {}
    path.write_text(json.dumps(found | values))


def make(folder, **options):
    chosen = DiffusersGenerator.Options(**options)
    return DiffusersGenerator(device=CPU, argument=str(folder), options=chosen)


def test_python_beside_the_models_and_commas_in_the_name_mean_nothing(folder, tmp_path):
    assert make(folder).image_size == (16, 16)
    assert not (tmp_path / "canary").exists()


def test_a_pipeline_that_brings_a_model_of_its_own_does_not_run(folder, tmp_path):
    change(folder / "model_index.json", text_encoder=["transformers", "AutoModel"])
    change(folder / "text_encoder" / "config.json", auto_map={"AutoModel": "evil.T"})
    before = set(tmp_path.rglob("*"))
    result = subprocess.run(
        [sys.executable, "-m", "evo_t2i", "sample", "a bus", "--generator", f"diffusers:{folder}"],
        input="y\n" * 100,
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env=os.environ | {"EVO_T2I_CACHE": str(tmp_path / "cache"), "HF_HUB_OFFLINE": "1"},
        check=False,
    )
    assert result.returncode == 3, result.stderr
    assert result.stdout == ""
    assert result.stderr.splitlines()[-1].startswith("error: ")
    assert "transformers.AutoModel, which would run code that is not part of" in result.stderr
    assert set(tmp_path.rglob("*")) == before


@pytest.mark.parametrize(
    ("file", "values"),
    [
        ("model_index.json", {"_class_name": ["evil", "T"]}),
        ("model_index.json", {"_class_name": "evil"}),
        ("model_index.json", {"custom_pipelines": {"text-to-image": {"impl": "evil.T"}}}),
        ("model_index.json", {"unet": ["evil", "T"]}),
        ("model_index.json", {"unet": ["diffusers", "DiffusionPipeline"]}),
        ("model_index.json", {"tokenizer": ["transformers", "AutoTokenizer"]}),
        ("model_index.json", {"scheduler": ["diffusers", "evil.Scheduler"]}),
        ("model_index.json", {"unet": ["diffusers"]}),
        ("model_index.json", {"unet": ["diffusers", {"a": 1}]}),
        ("model_index.json", {"vae": [None, None]}),
        ("unet/config.json", {"_class_name": "evil"}),
        ("unet/config.json", {"auto_map": {"AutoModel": "evil.T"}}),
        ("text_encoder/config.json", {"auto_map": {"AutoModel": "evil.T"}}),
        ("text_encoder/generation_config.json", {"auto_map": {"AutoModel": "evil.T"}}),
        ("tokenizer/tokenizer_config.json", {"auto_map": {"AutoTokenizer": ["evil.T", None]}}),
        ("tokenizer/tokenizer_config.json", {"tokenizer_class": "T"}),
        ("scheduler/scheduler_config.json", {"num_train_timesteps": 0}),
        ("scheduler/scheduler_config.json", {"beta_schedule": "evil"}),
        ("unet/config.json", {"sample_size": None}),
        ("unet/config.json", {"sample_size": 0}),
        ("unet/config.json", {"sample_size": 10**9}),
        ("unet/config.json", {"sample_size": "large"}),
        ("unet/config.json", {"cross_attention_dim": 0}),
        ("unet/config.json", {"layers_per_block": [1, 10**9]}),
        ("text_encoder/config.json", {"num_hidden_layers": 10**9}),
        ("unet/config.json", {"block_out_channels": [10**6, 10**6]}),
        ("vae/config.json", {"latent_channels": 0}),
        ("text_encoder/config.json", {"num_attention_heads": 0}),
    ],
)
def test_a_pipeline_that_is_not_plain_data_is_refused(folder, tmp_path, file, values):
    change(folder / file, **values)
    with pytest.raises(ModelError) as caught:
        make(folder)
    assert str(folder) in str(caught.value)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "canary").exists()


@pytest.mark.parametrize("text", ["[" * 100_000, '{"sample_size": Infinity}', "", "[]"])
@pytest.mark.parametrize("file", ["model_index.json", "unet/config.json"])
def test_json_that_no_model_has_is_refused(folder, file, text):
    (folder / file).write_text(text)
    with pytest.raises(ModelError, match="damaged"):
        make(folder)


def test_every_file_of_a_tokenizer_or_scheduler_changes_the_digest(folder):
    found = {make(folder).digest}
    change(folder / "tokenizer" / "tokenizer_config.json", model_max_length=8)
    found.add(make(folder).digest)
    change(folder / "tokenizer" / "tokenizer.json", version="1.0 ")
    with pytest.raises(ModelError):
        make(folder)
    change(folder / "tokenizer" / "tokenizer.json", version="1.0", truncation=None)
    found.add(make(folder).digest)
    change(folder / "scheduler" / "scheduler_config.json", beta_end=0.013)
    found.add(make(folder).digest)
    assert len(found) == 4


def test_a_denoiser_that_needs_a_picture_is_refused(tmp_path):
    pipeline = stable_diffusion()
    pipeline.register_modules(unet=unet(in_channels=9))
    pipeline.save_pretrained(tmp_path / "inpainting")
    with pytest.raises(ModelError, match="takes 9 channels, but a latent of its VAE has 4: it"):
        make(tmp_path / "inpainting")


def test_a_pipeline_without_a_size_draws_the_one_that_is_given(folder):
    change(folder / "unet" / "config.json", sample_size=None)
    with pytest.raises(ModelError, match=r"its sample_size is None\); give a size, such as -o"):
        make(folder)
    assert make(folder, size="16x24").image_size == (16, 24)


def test_half_precision_folders_draw(tmp_path):
    pipeline = stable_diffusion()
    pipeline.to(torch.float16).save_pretrained(tmp_path / "half", variant="fp16")
    assert (tmp_path / "half" / "text_encoder" / "model.fp16.safetensors").is_file()
    made = make(tmp_path / "half")
    latents = torch.randn((1, *made.latent_shape), generator=torch.Generator().manual_seed(0))
    assert made.generate(latents, made.condition("a bus")).isfinite().all()


def with_scheduler(folder, kind, **settings):
    change(folder / "model_index.json", scheduler=["diffusers", kind])
    made = getattr(diffusers, kind)(**settings)
    made.save_pretrained(folder / "scheduler")
    return folder


def test_a_scheduler_that_draws_one_picture_in_one_step_is_refused(folder):
    with pytest.raises(UsageError) as caught:
        make(with_scheduler(folder, "IPNDMScheduler"))
    assert str(caught.value) == (
        "The option diffusers.steps is 1, which the pipeline's IPNDMScheduler refuses (it would "
        "draw the same picture from every latent); give -o diffusers.steps=2."
    )
    made = make(folder, steps=2)
    latents = torch.randn((2, *made.latent_shape), generator=torch.Generator().manual_seed(0))
    first, second = made.generate(latents, made.condition("a bus"))
    assert (first - second).abs().max() > 1e-3


@pytest.mark.parametrize(
    ("kind", "settings", "steps", "near"),
    [
        ("PNDMScheduler", {}, 1, 4),
        ("LCMScheduler", {}, 60, 50),
    ],
)
def test_a_number_of_steps_that_a_scheduler_refuses_is_answered_with_one_that_it_takes(
    folder, kind, settings, steps, near
):
    with_scheduler(folder, kind, **settings)
    with pytest.raises(UsageError) as caught:
        make(folder, steps=steps)
    assert f"is {steps}, which the pipeline's {kind} refuses" in str(caught.value)
    assert str(caught.value).endswith(f"give -o diffusers.steps={near}.")
    make(folder, steps=near)
