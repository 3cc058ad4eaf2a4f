"""A generator, an extractor and two scores without networks, and what a batch of them left."""

PLUGIN = '''
    """Pictures of one colour; captions that do harm on purpose."""

    import os
    import signal
    import time
    from dataclasses import dataclass
    from pathlib import Path

    import numpy as np
    import torch

    _LOADED = Path(os.environ["TINY_LOG"])


    def _first_time(name):
        """Whether this is the first process that asks, of all of them."""
        try:
            os.close(os.open(_LOADED.with_name(name), os.O_CREAT | os.O_EXCL))
        except FileExistsError:
            return False
        return True


    class Tiny:
        latent_shape = (3,)
        image_size = (8, 8)
        digest = "tiny"

        def __init__(self, *, device, argument):
            if argument == "missing":
                from evo_t2i.errors import ModelError

                raise ModelError("The weights of tiny are missing; put them there.")
            with _LOADED.open("a") as log:
                log.write(f"{os.getpid()} {argument}\\n")

        def condition(self, caption):
            if "poison" in caption:
                raise RuntimeError("this caption is poison")
            if "kill once" in caption and _first_time("killed"):
                os.kill(os.getpid(), signal.SIGKILL)
            if "always kill" in caption:
                os.kill(os.getpid(), signal.SIGKILL)
            if "disk full" in caption and not _LOADED.with_name("freed").exists():
                from evo_t2i.errors import DiskFullError

                raise DiskFullError("No space is left to write front.csv; free some.")
            if "slow" in caption and not _LOADED.with_name("hurry").exists():
                _LOADED.with_name("slow").touch()
                return [len(caption), 0.3]
            return [len(caption), 0]

        def sample(self, count, rng):
            return rng.standard_normal((count, 3), dtype=np.float32)

        def generate(self, latents, condition):
            time.sleep(condition[1])
            colours = torch.sigmoid(latents + condition[0] / 100)
            return colours[:, :, None, None].expand(-1, 3, 8, 8).clone()


    class Light:
        provides = frozenset({"light.mean"})
        digest = "none"

        def __init__(self, *, device, models):
            pass

        def text(self, caption):
            return {}

        def images(self, batch, text):
            return {"light.mean": batch.mean(dim=(2, 3))}


    class Red:
        name = "red"
        needs = frozenset({"light.mean"})

        def __call__(self, features):
            return features["light.mean"][:, 0]


    class Blue:
        name = "blue"
        needs = frozenset({"light.mean"})

        def __call__(self, features):
            return features["light.mean"][:, 2] - features["light.mean"][:, 0] ** 2
'''
SETTINGS = {
    "generator": "tiny",
    "scores": "red,blue",
    "population": 6,
    "offspring": 6,
    "generations": 2,
    "micro_batch": 4,
    "device": "cpu",
}
CAPTIONS = [f"picture {number} of a sea" for number in range(12)]


def tables_of(out):
    """Everything of a batch that must not depend on who carried it out: name → bytes."""
    names = ("index.csv", "front.csv", "categories.csv", "failed.jsonl", "gallery.html")
    found = {name: out / name for name in names}
    found |= {path.name: path for path in (out / "webdataset").glob("*.tar")}
    found |= {path.name: path for path in out.glob("*.parquet")}
    return {name: path.read_bytes() for name, path in found.items() if path.exists()}
