"""The adapter against diffusers' own pipelines, small and random, of every family."""

import json
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from whole_runs import digests

from evo_t2i.cli.main import run
from evo_t2i.errors import ModelError, UsageError
from evo_t2i.generators.inner_noise import inner_noise
from evo_t2i.testing import check_generator

diffusers = pytest.importorskip(
    "diffusers", reason='diffusers is not installed; pip install "evo-t2i[diffusers]"'
)
from tiny_pipelines import PIPELINES, build, drawing, save  # noqa: E402

from evo_t2i.generators.diffusers import FAMILIES, DiffusersGenerator  # noqa: E402

CPU = torch.device("cpu")
CAPTION = "a red bus"
OWN_SIZE = {"pixart": {"use_resolution_binning": False, "clean_caption": False}}
OWN_SIZE["sana"] = {"use_resolution_binning": False}


@pytest.fixture(scope="session")
def folders(tmp_path_factory):
    """name → a saved pipeline, made when it is first asked for."""
    root = tmp_path_factory.mktemp("pipelines")

    def folder(name: str) -> Path:
        path = root / name
        return path if path.exists() else save(name, path)

    return folder


def generator(folder: Path, options: dict | None = None) -> DiffusersGenerator:
    chosen = DiffusersGenerator.Options(**(options or {}))
    return DiffusersGenerator(device=CPU, argument=str(folder), options=chosen)


def latents_of(made: DiffusersGenerator, count: int = 3) -> torch.Tensor:
    return torch.from_numpy(made.sample(count, np.random.default_rng(1)))


@pytest.mark.parametrize(
    ("name", "options", "call", "draws"),
    [
        ("sd", {}, {"num_inference_steps": 1, "guidance_scale": 0.0}, 1),
        ("sd", {"steps": 3}, {"num_inference_steps": 3, "guidance_scale": 0.0}, 3),
        ("sd", {"steps": 2, "guidance": 3.0}, {"num_inference_steps": 2, "guidance_scale": 3.0}, 2),
        ("sd", {"size": "16x24"}, {"num_inference_steps": 1, "guidance_scale": 0.0}, 1),
        ("sdxl", {}, {"num_inference_steps": 1, "guidance_scale": 0.0}, 1),
        (
            "sdxl",
            {"steps": 2, "guidance": 2.0},
            {"num_inference_steps": 2, "guidance_scale": 2.0},
            2,
        ),
        ("lcm", {}, {"num_inference_steps": 4, "guidance_scale": 8.5}, 3),
        (
            "lcm",
            {"steps": 2, "guidance": 1.0},
            {"num_inference_steps": 2, "guidance_scale": 1.0},
            1,
        ),
        ("pixart", {}, {"num_inference_steps": 4, "guidance_scale": 0.0}, 3),
        (
            "pixart",
            {"steps": 1, "guidance": 4.0},
            {"num_inference_steps": 1, "guidance_scale": 4.0},
            0,
        ),
        ("sana", {}, {"num_inference_steps": 2, "guidance_scale": 4.5}, 2),
        (
            "sana",
            {"steps": 1, "guidance": 2.0},
            {"num_inference_steps": 1, "guidance_scale": 2.0, "intermediate_timesteps": None},
            1,
        ),
        ("flux", {"size": "16x32"}, {"num_inference_steps": 4, "max_sequence_length": 256}, 0),
    ],
)
def test_pictures_are_the_pipelines_own(folders, monkeypatch, name, options, call, draws):
    made = generator(folders(name), options)
    latents = latents_of(made)
    images = made.generate(latents, made.condition(CAPTION))

    own = build(name)
    own.set_progress_bar_config(disable=True)
    given = latents
    if name == "flux":
        given = own._pack_latents(latents, *latents.shape)
    noises = [inner_noise(latents, draw) for draw in range(draws)]
    height, width = made.image_size
    with drawing(own, noises, monkeypatch) as left:
        expected = own(
            [CAPTION] * 3, height=height, width=width, latents=given, output_type="pt",
            **call, **OWN_SIZE.get(name, {}),
        ).images  # fmt: skip
    assert left == []
    assert images.shape == (3, 3, height, width)
    torch.testing.assert_close(images, expected.float().clamp(0, 1), atol=1e-5, rtol=0)
    assert (images[0] - images[1]).abs().max() > 1e-3


@pytest.mark.parametrize("name", PIPELINES)
def test_the_contract_holds(folders, name):
    made = generator(folders(name), {"size": "16"} if name == "flux" else {})
    check_generator(made, caption=CAPTION, count=3)


def test_latents_have_the_pipelines_own_shape(folders):
    assert generator(folders("sd")).latent_shape == (4, 8, 8)
    assert generator(folders("sd"), {"size": "16x32"}).latent_shape == (4, 8, 16)
    assert generator(folders("sana")).latent_shape == (4, 16, 16)
    whole = generator(folders("flux"))
    assert (whole.latent_shape, whole.image_size) == ((4, 128, 128), (256, 256))


@pytest.mark.parametrize("name", ["sd", "flux"])
def test_captions_make_a_difference(folders, name):
    made = generator(folders(name), {"size": "16"})
    latents = latents_of(made, 1)
    images = [made.generate(latents, made.condition(text)) for text in ("a red bus", "the sea")]
    assert (images[0] - images[1]).abs().max() > 1e-4


@pytest.mark.parametrize("name", ["sd", "pixart", "flux"])
def test_the_end_that_no_encoder_reads_makes_no_difference_and_is_named(folders, name):
    made = generator(folders(name))
    assert made.unread(CAPTION) == ""
    words = [f"bus {i}" for i in range(900)]
    end = made.unread(" ".join(words))
    read = " ".join(words).removesuffix(end).strip()
    assert end
    assert read
    whole, part = made.condition(" ".join(words)), made.condition(read)
    assert all(torch.equal(whole[key], part[key]) for key in whole)
    shorter = made.condition(read.rsplit(" ", 1)[0])
    assert not all(torch.equal(whole[key], shorter[key]) for key in whole)


def test_a_small_step_of_the_latent_is_a_small_step_of_the_picture(folders):
    made = generator(folders("lcm"))
    latents = latents_of(made, 2)
    condition = made.condition(CAPTION)
    still, moved = (made.generate(each, condition) for each in (latents, latents * (1 + 1e-4)))
    assert 0 < (still - moved).abs().max() < 0.02 * (still[0] - still[1]).abs().max()


def test_the_digest_follows_the_weights_and_what_changes_pictures(folders, tmp_path):
    folder = shutil.copytree(folders("sd"), tmp_path / "copy")
    plain = generator(folder).digest
    assert (
        generator(folder, {"steps": 1, "guidance": 1.0, "size": "16", "dtype": "float32"}).digest
        == plain
    )
    others = {
        generator(folder, options).digest
        for options in ({"steps": 2}, {"guidance": 2.0}, {"size": "24"}, {"dtype": "bfloat16"})
    }
    assert len(others | {plain}) == 5
    path = folder / "unet" / "diffusion_pytorch_model.safetensors"
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    assert generator(folder).digest not in others | {plain}


def test_bfloat16_is_honoured(folders):
    made = generator(folders("sd"), {"dtype": "bfloat16"})
    images = made.generate(latents_of(made), made.condition(CAPTION))
    assert images.dtype == torch.float32
    full = generator(folders("sd"))
    other = full.generate(latents_of(full), full.condition(CAPTION))
    assert 0 < (images - other).abs().max() < 0.1


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        (
            "sd",
            {"size": "20"},
            "has a side of 20 pixels; this pipeline needs multiples of 8, such as",
        ),
        ("sana", {"size": "48"}, "needs multiples of 32"),
        ("sd", {"guidance": 0.5}, "diffusers.guidance is 0.5; give 0 (off) or more than 1."),
        ("flux", {"guidance": 3.0}, "was distilled without guidance; leave it out."),
        ("lcm", {"steps": 60}, "diffusers.steps is 60, which the pipeline's LCMScheduler"),
    ],
)
def test_options_that_a_pipeline_has_no_use_for_are_refused(folders, name, options, message):
    with pytest.raises(UsageError) as caught:
        generator(folders(name), options)
    assert message in str(caught.value)


def test_other_pipelines_are_refused(folders, tmp_path):
    folder = shutil.copytree(folders("sd"), tmp_path / "copy")
    index = json.loads((folder / "model_index.json").read_text())
    (folder / "model_index.json").write_text(
        json.dumps(index | {"_class_name": "StableDiffusionInpaintPipeline"})
    )
    with pytest.raises(ModelError, match="is a StableDiffusionInpaintPipeline, which is not a"):
        generator(folder)
    assert set(FAMILIES) <= set(dir(diffusers))


@pytest.mark.parametrize("name", ["DPMSolverSDEScheduler", "CosineDPMSolverMultistepScheduler"])
def test_a_scheduler_that_mixes_the_batch_is_refused(folders, monkeypatch, name):
    own = diffusers.EulerAncestralDiscreteScheduler
    monkeypatch.setattr(diffusers, own.__name__, type(name, (own,), {}))
    with pytest.raises(ModelError, match=f"{name} of .* draws its noise for a whole batch at once"):
        generator(folders("sd"))


def test_weights_that_do_not_fit_are_refused(folders, tmp_path):
    from safetensors.torch import load_file, save_file

    folder = shutil.copytree(folders("sd"), tmp_path / "copy")
    path = folder / "unet" / "diffusion_pytorch_model.safetensors"
    tensors = load_file(path)
    whole = dict(tensors)
    tensors.pop("conv_in.weight")
    save_file(tensors, path)
    with pytest.raises(ModelError, match=r"conv_in\.weight"):
        generator(folder)
    save_file(whole | {"conv_in.weight": torch.zeros(1, 2, 3, 3)}, path)
    with pytest.raises(ModelError, match="cannot be loaded"):
        generator(folder)
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(ModelError, match="cannot be loaded"):
        generator(folder)


def test_without_diffusers_the_install_command_is_named(folders, monkeypatch):
    monkeypatch.setitem(sys.modules, "diffusers", None)
    with pytest.raises(ModelError) as caught:
        generator(folders("sd"))
    assert str(caught.value) == (
        "The generator diffusers needs the package diffusers; "
        'run `pip install "evo-t2i[diffusers]"`.'
    )


@pytest.fixture
def small(tmp_path, folders):
    def arguments(out: str, generations: int) -> list[str]:
        return [
            "sample", CAPTION,
            "--generator", f"diffusers:{folders('sdxl')}", "-o", "diffusers.steps=2",
            "--out", str(tmp_path / out), "--seed", "4", "--population", "8", "--offspring", "8",
            "--generations", str(generations), "--device", "cpu", "--quiet", "--precision", "fp32",
            "--scores", "text_image,image_real",
        ]  # fmt: skip

    return arguments


@pytest.mark.usefixtures("random_models")
def test_a_run_completes_and_a_stopped_one_resumes_to_the_same_bytes(small, tmp_path, monkeypatch):
    assert run(small("whole", 3)) == 0
    facts = json.loads((tmp_path / "whole" / "run.json").read_text())
    assert facts["evaluations"] == 32

    real, calls = DiffusersGenerator.generate, []

    def stopping(self, latents, condition):
        calls.append(len(latents))
        if len(calls) == 3:
            raise RuntimeError("power cut")
        return real(self, latents, condition)

    with monkeypatch.context() as patch:
        patch.setattr(DiffusersGenerator, "generate", stopping)
        assert run(small("stopped", 3)) == 1
    assert calls == [8, 8, 8]
    assert run(["resume", str(tmp_path / "stopped"), "--quiet"]) == 0
    assert digests(tmp_path / "stopped") == digests(tmp_path / "whole")


@pytest.mark.parametrize(
    ("argument", "code", "message"),
    [
        ("no/such/folder", 2, "is not a folder"),
        ("nobody/sd-none", 3, "hf download nobody/sd-none"),
        (".", 3, "has no model_index.json"),
        (". -o diffusers.step=1", 2, "did you mean 'steps'?"),
    ],
)
def test_the_command_line_says_it_in_one_line(
    tmp_path, monkeypatch, capsys, argument, code, message
):
    monkeypatch.chdir(tmp_path)
    arguments = f"diffusers:{argument}".split()
    assert run(["sample", CAPTION, "--quiet", "--generator", *arguments]) == code
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("error: ")
    assert err.count("\n") == 1
    assert message in err
    assert list(tmp_path.iterdir()) == []


def test_previews_are_the_pictures_of_fewer_steps(folders):
    made = generator(folders("lcm"), {"steps": 4, "preview_steps": 2})
    latents, condition = latents_of(made), made.condition(CAPTION)
    fewer = generator(folders("lcm"), {"steps": 2})
    with torch.inference_mode():
        assert torch.equal(made.preview(latents, condition), fewer.generate(latents, condition))
    check_generator(made, count=3)


def test_a_pipeline_has_no_previews_unless_asked(folders):
    assert not hasattr(generator(folders("sd")), "preview")


def test_previews_of_no_fewer_steps_are_refused(folders):
    with pytest.raises(UsageError, match="`preview_steps` is 2, but whole pictures take 2"):
        generator(folders("lcm"), {"steps": 2, "preview_steps": 2})
