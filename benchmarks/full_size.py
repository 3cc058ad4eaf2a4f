"""Networks of the published sizes with random weights: scores, a run, throughput, memory.

    python benchmarks/full_size.py --networks /tmp/networks
    python benchmarks/full_size.py --networks /tmp/networks --device cuda --generator sd-turbo \\
        --population 100 --micro-batch 20

The generator is LAFITE's at 256 pixels (or a pipeline of SD-Turbo's sizes), the scorers are
open_clip's ViT-B/32, torchvision's VGG-19_bn and BERT-base through Flair. Nothing is downloaded;
the networks are written to the folder once. Parts, by default all, in fp32 and in bf16:

equality    each score against open_clip, torchvision and Flair called directly on the same
            pictures; the script fails when one differs by more than 1e-4 in fp32
run         `evo-t2i sample` for three generations; chromium opens the page, where there is one
throughput  images a second of the whole evaluation against those of generator, image tower and
            classifier alone, repeats interleaved, medians
memory      the peak for populations of 8, 32 and 100 with one micro-batch, each in a fresh process
"""

import argparse
import contextlib
import functools
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from full_size_networks import MEAN, STD, Networks, make_networks
from torch import Tensor
from torch.nn.functional import cosine_similarity, normalize

if TYPE_CHECKING:
    from evo_t2i.evaluate.evaluator import Evaluator

CAPTION = "a red bus by the sea"
TOLERANCE = 1e-4
PARTS = ("equality", "run", "throughput", "memory")
SEED = 1


def make_evaluator(
    networks: Networks, arguments: argparse.Namespace, precision: str
) -> tuple["Evaluator", np.ndarray]:
    """The evaluator of a run, and latents for its population."""
    from evo_t2i.config import configure
    from evo_t2i.evaluate.models import load

    config = configure(
        CAPTION,
        seed=SEED,
        population=arguments.population,
        device=arguments.device,
        micro_batch=arguments.micro_batch,
        precision=precision,
        **networks.options(),
    )
    models = load(config)
    latents = models.prior(config.population, np.random.default_rng(SEED))
    return models.for_caption(CAPTION, config.micro_batch), latents


@torch.inference_mode()
def direct_scores(networks: Networks, pixels: np.ndarray, device: torch.device) -> np.ndarray:
    """(n, 4) of pixels (n, h, w, 3) uint8, in the order of DEFAULT_SCORES, without evo-t2i.

    The formulas of docs/scores.md, picture by picture and word by word in float64, on what
    open_clip, torchvision and Flair answer themselves.
    """
    images = torch.from_numpy(pixels).permute(0, 3, 1, 2).float().div(255).to(device)
    words = ["red", "bus", "sea"]
    whole, regions, text, spoken = clip_directly(networks.clip, images, words)
    p = softmax(classifier_directly(networks.classifier, images))
    labels = json.loads((networks.classifier / "config.json").read_text())["labels"]
    similarities = similarities_directly(networks.embedder, labels, words)
    rows = []
    for index in range(len(images)):
        matches = []
        for word in spoken:
            attention = softmax(50 * regions[index] @ word)
            looked_at = attention @ regions[index]
            matches.append(word @ looked_at / np.linalg.norm(looked_at))
        region_word = np.log(np.mean(np.exp(5 * np.array(matches)))) / 5
        best = np.argsort(p[index])[-5:]
        word_label = p[index, best] @ similarities[best] / p[index, best].sum()
        rows.append([whole[index] @ text, p[index].max(), region_word, word_label])
    return np.array(rows)


def clip_directly(folder: Path, images: Tensor, words: Sequence[str]) -> tuple[np.ndarray, ...]:
    """Unit embeddings of images (n, d), patches (n, r, d), caption (d,) and words (t, d)."""
    import open_clip
    from torchvision.transforms import CenterCrop, Normalize, Resize

    model, _, preprocess = open_clip.create_model_and_transforms(
        f"local-dir:{folder}", require_pretrained=True
    )
    model = model.to(images.device).eval()
    inputs = images
    for step in preprocess.transforms:
        if isinstance(step, Resize | CenterCrop | Normalize):
            inputs = step(inputs)
        if isinstance(step, Resize):
            inputs = inputs.clamp(0, 1)  # as a picture file is
    whole = model.encode_image(inputs, normalize=True)
    visual, blocks = model.visual, model.visual.transformer.resblocks
    states = visual.forward_intermediates(
        inputs, indices=[len(blocks) - 2], intermediates_only=True, output_fmt="NLC"
    )["image_intermediates"][0]
    patches, attention = blocks[-1].ln_1(states), blocks[-1].attn
    with torch.no_grad():  # ClearCLIP: queries take the place of keys, nothing else is added
        width = attention.embed_dim
        attention.in_proj_weight[width : 2 * width] = attention.in_proj_weight[:width]
        attention.in_proj_bias[width : 2 * width] = attention.in_proj_bias[:width]
    patches = patches if attention.batch_first else patches.transpose(0, 1)
    mixed = attention(patches, patches, patches, need_weights=False)[0]
    mixed = mixed if attention.batch_first else mixed.transpose(0, 1)
    regions = normalize(visual.ln_post(mixed) @ visual.proj, dim=-1)
    tokenize = open_clip.get_tokenizer(f"local-dir:{folder}")
    tokens = tokenize([CAPTION, *(f"a picture of {word}." for word in words)])
    read = model.encode_text(tokens.to(images.device), normalize=True)
    return tuple(each.cpu().double().numpy() for each in (whole, regions, read[0], read[1:]))


def classifier_directly(folder: Path, images: Tensor) -> np.ndarray:
    """Logits (n, k) of torchvision's model after torchvision's own preprocessing."""
    from safetensors.torch import load_file
    from torchvision.models import vgg19_bn
    from torchvision.transforms._presets import ImageClassification
    from torchvision.transforms.functional import InterpolationMode, resize

    model = vgg19_bn().eval().to(images.device)
    model.load_state_dict(load_file(folder / "model.safetensors"))
    side = [224, 224]
    small = resize(images, side, InterpolationMode.BICUBIC, antialias=True).clamp(0, 1)
    preprocess = ImageClassification(crop_size=224, resize_size=224, mean=MEAN, std=STD)
    return model(preprocess(small)).cpu().double().numpy()


def similarities_directly(folder: Path, labels: Sequence[str], words: Sequence[str]) -> np.ndarray:
    """(k,): each label's similarity to the nearest word, of Flair's own embeddings."""
    from flair.data import Sentence
    from flair.embeddings import TransformerDocumentEmbeddings

    own = TransformerDocumentEmbeddings(
        str(folder), cls_pooling="mean", fine_tune=False, use_context_separator=False
    )

    def embed(texts: Sequence[str]) -> Tensor:
        sentences = [Sentence(f"photo of a {text}") for text in texts]
        for start in range(0, len(sentences), 64):
            own.embed(sentences[start : start + 64])
        return torch.stack([each.embedding.detach().cpu().double() for each in sentences])

    matrix = embed(labels)
    centre = matrix.mean(dim=0)
    centred = [cosine_similarity(each - centre, matrix - centre) for each in embed(words)]
    return torch.stack(centred).amax(dim=0).numpy()


def softmax(values: np.ndarray) -> np.ndarray:
    powers = np.exp(values - values.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)


def equality(networks: Networks, arguments: argparse.Namespace) -> bool:
    """Whether every score in fp32 is what the libraries themselves give."""
    from evo_t2i.config import DEFAULT_SCORES

    evaluator, latents = make_evaluator(networks, arguments, "bf16")
    half = evaluator.score_latents(latents)
    pixels, found = evaluator.render_and_score(latents)
    expected = direct_scores(networks, pixels, evaluator.device)
    columns = {
        "spread over the pictures": expected.max(axis=0) - expected.min(axis=0),
        "fp32, largest difference": np.abs(found - expected).max(axis=0),
        "bf16, largest difference": np.abs(half - expected).max(axis=0),
    }
    print(f"| score | {' | '.join(columns)} |\n|---|---|---|---|")
    for row, name in enumerate(DEFAULT_SCORES):
        spread, *differences = (values[row] for values in columns.values())
        print(f"| {name} | {spread:.4f} | {' | '.join(f'{each:.1e}' for each in differences)} |")
    good = bool((np.abs(found - expected) <= TOLERANCE).all())
    print(f"In fp32 {'none differs' if good else 'some differ'} by more than {TOLERANCE:g}.")
    return good


def run(networks: Networks, arguments: argparse.Namespace) -> bool:
    """Whether runs by the command line come to their end and their pages open."""
    good = True
    for precision in arguments.precision.split(","):
        folder = Path(tempfile.mkdtemp()) / "run"
        command = [str(Path(sys.executable).with_name("evo-t2i")), "sample", CAPTION, "-q"]
        options = networks.options() | {
            "out": str(folder),
            "seed": str(SEED),
            "population": str(arguments.population),
            "offspring": str(arguments.population),
            "generations": "3",
            "micro-batch": str(arguments.micro_batch),
            "device": arguments.device,
            "precision": precision,
        }
        for name, given in options.pop("options").items():
            command += [f"-o{name}.{key}={value}" for key, value in given.items()]
        command += [f"--{name}={value}" for name, value in options.items()]
        start = time.perf_counter()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        seconds = time.perf_counter() - start
        facts = json.loads((folder / "run.json").read_text())
        shown = pictures_on_page(folder / "report.html")
        print(
            f"{precision}: 4 generations of {arguments.population} images in {seconds:.0f} s, "
            f"{facts['front']} on the front, "
            + ("page not opened" if shown is None else f"{shown} on its page")
            + ("" if facts["rescored"] is None else f", scored again: {facts['rescored']}"),
            flush=True,
        )
        good &= shown in (None, facts["front"])
        shutil.rmtree(folder.parent)
    return good


def pictures_on_page(page: Path) -> int | None:
    """How many pictures the page of a run says it shows in a browser; None without one."""
    executable = shutil.which("chromium")
    with contextlib.suppress(ImportError):
        from playwright.sync_api import sync_playwright

        if executable is not None:
            with sync_playwright() as playwright:
                browser = playwright.chromium.launch(
                    executable_path=executable, args=["--no-sandbox", "--disable-gpu"]
                )
                tab = browser.new_page()
                tab.goto(page.resolve().as_uri())
                tab.wait_for_selector("#gallery .tile img")
                facts = tab.inner_text("#facts")
                browser.close()
            return int(facts.split(" pictures on the front")[0].split()[-1])
    return None


def throughput(networks: Networks, arguments: argparse.Namespace) -> None:
    """Prints images a second of the evaluation and of its networks, and their ratio."""
    print("| precision | generator | CLIP | VGG | the three | evaluation | ratio |")
    print("|---|---|---|---|---|---|---|")
    for precision in arguments.precision.split(","):
        evaluator, latents = make_evaluator(networks, arguments, precision)
        points = latents[: arguments.micro_batch]
        stages = network_passes(evaluator, points)
        stages["evaluation"] = functools.partial(evaluator.score_latents, points)
        seconds = interleaved(stages, arguments.repeats, evaluator.device)
        alone = seconds["generator"] + seconds["clip"] + seconds["vgg"]
        shown = [*list(seconds.values())[:3], alone, seconds["evaluation"]]
        cells = " | ".join(f"{len(points) / value:.2f}/s" for value in shown)
        ratio = f"{100 * alone / seconds['evaluation']:.1f} %"
        print(f"| {precision} | {cells} | {ratio} |", flush=True)


def network_passes(evaluator: "Evaluator", points: np.ndarray) -> dict[str, Callable[[], object]]:
    """Each network by itself on inputs of its own form, which are made beforehand."""
    from evo_t2i.models.precision import computing_in

    device, count = evaluator.device, len(points)
    generator, condition = evaluator.generator, evaluator._condition
    shaped = torch.from_numpy(points).view(count, *generator.latent_shape).to(device)
    inputs = torch.randn(count, 3, 224, 224, device=device)
    channels_last = inputs.contiguous(memory_format=torch.channels_last)
    clip, vgg = (evaluator.scorer._extractors[name]._in_precision for name in ("clip", "vgg"))
    passes = {
        "generator": lambda: generator.generate(shaped, condition),
        "clip": lambda: clip.current(device).encode_image(inputs),
        "vgg": lambda: vgg.current(device)(channels_last),
    }

    def alone(network_pass: Callable[[], object]) -> object:
        with torch.inference_mode(), computing_in(evaluator.precision, device):
            return network_pass()

    return {name: functools.partial(alone, each) for name, each in passes.items()}


def interleaved(
    stages: dict[str, Callable[[], object]], repeats: int, device: torch.device
) -> dict[str, float]:
    """Median seconds of each after one warm-up, one after the other in every repeat."""
    times: dict[str, list[float]] = {name: [] for name in stages}
    for _ in range(repeats + 1):
        for name, call in stages.items():
            start = time.perf_counter()
            call()
            if device.type == "cuda":
                torch.cuda.synchronize(device)
            times[name].append(time.perf_counter() - start)
    return {name: statistics.median(each[1:]) for name, each in times.items()}


def memory(_networks: Networks, arguments: argparse.Namespace) -> None:
    """Prints the peak for each population, from a process of its own."""
    print("| precision | population | micro-batch | peak memory |\n|---|---|---|---|")
    for precision in arguments.precision.split(","):
        for population in arguments.populations.split(","):
            command = [sys.executable, __file__, *sys.argv[1:], "--measure-memory"]
            command += [f"--precision={precision}", f"--population={population}"]
            out = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
            row = (precision, population, arguments.micro_batch, f"{out.split()[-1]} MB")
            print(f"| {' | '.join(map(str, row))} |", flush=True)


def measure_memory(networks: Networks, arguments: argparse.Namespace) -> None:
    """Score one population; print the process's peak, or the GPU's, in MB."""
    evaluator, latents = make_evaluator(networks, arguments, arguments.precision)
    evaluator.score_latents(latents)
    if evaluator.device.type == "cuda":
        peak = torch.cuda.max_memory_allocated(evaluator.device)
    else:
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(round(peak / 1e6))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--networks", type=Path, required=True, help="folder for 2 GB of weights")
    parser.add_argument("--generator", choices=("lafite", "sd-turbo"), default="lafite")
    parser.add_argument("--dtype", default="float32", help="of the weights of sd-turbo")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--population", type=int, default=8)
    parser.add_argument("--micro-batch", type=int, default=8)
    parser.add_argument("--precision", default="fp32,bf16", help="one or both")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--populations", default="8,32,100", help="whose memory is measured")
    parser.add_argument("--parts", default=",".join(PARTS), help=", ".join(PARTS))
    parser.add_argument("--measure-memory", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    parts = arguments.parts.split(",")
    if unknown := set(parts) - set(PARTS):
        parser.error(f"there is no part {min(unknown)!r}")
    networks = make_networks(arguments.networks, arguments.generator, arguments.dtype)
    os.environ.setdefault("EVO_T2I_CACHE", str(arguments.networks / "cache"))
    if arguments.measure_memory:
        measure_memory(networks, arguments)
        return
    good = True
    for part in parts:
        print(f"\n{part}\n", flush=True)
        good &= globals()[part](networks, arguments) is not False
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
