"""Small checkpoints in the shape of StyleGAN2-ADA's and LAFITE's, without their code.

A pickle of theirs names functions of the modules ``torch_utils.persistence`` and ``dnnlib.util``;
here these exist only while a file is written.
"""

import contextlib
import pickle
import sys
import types
import zlib
from collections import OrderedDict

import numpy as np
import torch

from evo_t2i.models.stylegan2_discriminator import Discriminator, discriminator_config
from evo_t2i.models.stylegan2_generator import Generator, generator_config

SIZES = {"channel_base": 256, "channel_max": 16, "num_fp16_res": 4, "conv_clamp": 256}
TEXT_SIZE = 24


def generator_arguments(*, resolution=32, classes=0, change=None, **synthesis):
    """As the training loops give them; ``change`` makes it LAFITE's."""
    lafite = {} if change is None else {"change": change, "f_dim": TEXT_SIZE}
    arguments = {
        "z_dim": 12,
        "c_dim": classes,
        "w_dim": 20,
        "img_resolution": resolution,
        "img_channels": 3,
        "mapping_kwargs": {"num_layers": 3},
        "synthesis_kwargs": {**SIZES, **lafite, **synthesis},
    }
    return arguments | ({} if change is None else {"m_layer_features": 24, "m_num_layers": 8})


def discriminator_arguments(*, resolution=32, classes=0, text=False, **more):
    """As the training loops give them; ``text`` makes it LAFITE's."""
    lafite = {"use_norm": True, "use_fts": True} if text else {}
    return {
        "c_dim": classes,
        "img_resolution": resolution,
        "img_channels": 3,
        **SIZES,
        **lafite,
        **more,
        "block_kwargs": {},
        "mapping_kwargs": {"num_layers": 2},
        "epilogue_kwargs": {"mbstd_group_size": 4} | ({"f_dim": TEXT_SIZE} if text else {}),
    }


def numbers(name, shape):
    """Standard Gaussian numbers that depend on a tensor's name alone."""
    rng = np.random.default_rng(zlib.crc32(name.encode()))
    return torch.from_numpy(rng.standard_normal(shape, dtype=np.float32))


def fill(model):
    """Give every tensor of ``model`` numbers of its own, of the size that training starts from.

    Also those that training starts at zero: w_avg, noise strengths, biases.
    """
    slow = (".fc", ".pre_", "_layer_0.", "_layer_1.")
    with torch.no_grad():
        for name, tensor in model.state_dict().items():
            if name.endswith("resample_filter"):
                continue
            values = numbers(name, tuple(tensor.shape))
            if "weight" in name and any(part in name for part in slow) and "b4.fc" not in name:
                values *= 100
            if name.endswith(("bias", "noise_strength", "w_avg")):
                values *= 0.3
            if name.endswith(("affine.bias", "affine_0.bias")):
                values += 1
            tensor.copy_(values)
    return model.eval().requires_grad_(False)


def make_generator(arguments):
    """A generator of this package with ``fill``ed weights."""
    synthesis = arguments["synthesis_kwargs"]
    names = []
    if "change" in synthesis:
        steps = [2**i for i in range(2, arguments["img_resolution"].bit_length())]
        forms = {True: "pre_0", False: "scale_layer_0"}
        names = [f"synthesis.b{r}.conv1.{forms[r <= synthesis['change']]}.weight" for r in steps]
    return fill(Generator(generator_config(arguments, names)))


def make_discriminator(arguments):
    """A discriminator of this package with ``fill``ed weights."""
    names = ["b4.fts.weight"] if arguments.get("use_fts") else []
    return fill(Discriminator(discriminator_config(arguments, names)))


@contextlib.contextmanager
def their_modules():
    """``torch_utils.persistence`` and ``dnnlib.util``, as far as pickling needs them."""

    def _reconstruct_persistent_obj(_meta):
        raise AssertionError("only its name is pickled")

    easy = type("EasyDict", (dict,), {"__module__": "dnnlib.util"})
    _reconstruct_persistent_obj.__module__ = "torch_utils.persistence"
    _reconstruct_persistent_obj.__qualname__ = "_reconstruct_persistent_obj"
    contents = {
        "torch_utils": {},
        "torch_utils.persistence": {"_reconstruct_persistent_obj": _reconstruct_persistent_obj},
        "dnnlib": {},
        "dnnlib.util": {"EasyDict": easy},
    }
    modules = {name: types.ModuleType(name) for name in contents}
    for name, values in contents.items():
        vars(modules[name]).update(values)
    sys.modules.update(modules)
    try:
        yield _reconstruct_persistent_obj, easy
    finally:
        for name in modules:
            del sys.modules[name]


class Stored:
    """Pickles as one of their modules does: its source code, its class name, its state."""

    def __init__(self, module, class_name, arguments, *, reconstruct, easy):
        given = {
            key: easy(value) if isinstance(value, dict) else value
            for key, value in arguments.items()
        }
        self.reconstruct = reconstruct
        self.class_name = class_name
        self.state = {
            "training": False,
            "_parameters": OrderedDict(module._parameters),
            "_buffers": OrderedDict(module._buffers),
            "_non_persistent_buffers_set": set(),
            "_backward_hooks": OrderedDict(),
            "_modules": OrderedDict(
                (name, Stored(child, type(child).__name__, {}, reconstruct=reconstruct, easy=easy))
                for name, child in module._modules.items()
            ),
            "weight_gain": np.float64(0.25),
            "_init_args": (),
            "_init_kwargs": given,
        }

    def __reduce__(self):
        meta = {
            "type": "class",
            "version": 6,
            "module_src": "raise SystemExit('this must not run')",
            "class_name": self.class_name,
            "state": self.state,
        }
        return self.reconstruct, (meta,), None


def write_checkpoint(path, generator, discriminator=None, *, protocol=4, spoil=None, **entries):
    """Pickle (model, arguments) pairs the way their training loops do; returns ``path``.

    ``spoil`` may change the stored generator before it is pickled; ``entries`` stand in for, or
    join, those of the file.
    """
    with their_modules() as (reconstruct, easy):

        def stored(network, name):
            model, arguments = network
            return Stored(model, name, arguments, reconstruct=reconstruct, easy=easy)

        content = {"training_set_kwargs": easy(path="datasets/own.zip", xflip=True)}
        content["G"] = stored(generator, "Generator")
        content["D"] = None if discriminator is None else stored(discriminator, "Discriminator")
        content["G_ema"] = stored(generator, "Generator")
        content["augment_pipe"] = None
        if spoil is not None:
            spoil(content["G_ema"])
        path.write_bytes(pickle.dumps(content | entries, protocol=protocol))
    return path
