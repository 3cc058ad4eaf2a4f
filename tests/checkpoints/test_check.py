"""One changed bit, anywhere in any kind of model, is found."""

import hashlib
import shutil

import pytest
from fake_hub import HEAD, WEIGHTS

from evo_t2i.checkpoints import builtin, catalogue, check, hub
from evo_t2i.checkpoints.catalogue import find
from evo_t2i.checkpoints.inventory import locate
from evo_t2i.checkpoints.pull import pull
from evo_t2i.checkpoints.records import record_path
from evo_t2i.checkpoints.stylegan2_folder import save
from evo_t2i.checkpoints.stylegan2_pickle import StoredNetwork
from evo_t2i.errors import UsageError

PLACES = (0.0, 0.5, 1.0)
"""Of a file: its first byte, one in its middle, its last."""


def quiet(*_event):
    pass


def flip(path, place):
    """Change one bit; returns what undoes it."""
    data = path.read_bytes()
    changed = bytearray(data)
    changed[round(place * (len(data) - 1))] ^= 2
    path.write_bytes(changed)
    return lambda: path.write_bytes(data)


def verdicts(expected):
    return {each.path.name: check.check(each, quiet).verdict for each in expected}


def damaged(expected):
    return [name for name, verdict in verdicts(expected).items() if verdict == check.DAMAGED]


@pytest.mark.parametrize("place", PLACES)
def test_in_built_in_weights(tmp_path, monkeypatch, place):
    folder = shutil.copytree(builtin.weights_folder(), tmp_path / "weights")
    monkeypatch.setattr(builtin, "weights_folder", lambda: folder)
    model = find("builtin-text")
    for expected in (model, None):
        for file in builtin.FILES:
            undo = flip(folder / "text" / file, place)
            found = check.of_model(model) if expected else check.of_path(folder / "text")
            assert damaged(found) == [file]
            undo()
            assert set(verdicts(found).values()) == {check.INTACT}


def test_in_the_manifest_itself(tmp_path):
    folder = shutil.copytree(builtin.weights_folder(), tmp_path / "weights")
    assert damaged(check.of_path(folder)) == []
    (folder / "digests.json").write_text("{")
    assert damaged(check.of_path(folder)) == ["digests.json"]


@pytest.mark.parametrize("place", PLACES)
def test_in_the_sentence_encoders_package(tmp_path, monkeypatch, place):
    model = find("all-MiniLM-L6-v2")
    folder = shutil.copytree(locate(model.parts[0]).folder, tmp_path / "minilm")
    known = check.minilm.installed_digests()
    monkeypatch.setattr(check.minilm, "package_folder", lambda: folder)
    monkeypatch.setattr(check.minilm, "installed_digests", lambda: known)
    assert set(verdicts(check.of_model(model)).values()) == {check.INTACT}
    for file in ("model.safetensors", "config.json", "tokenizer.json", "vocab.txt"):
        undo = flip(folder / file, place)
        assert damaged(check.of_model(model)) == [file]
        undo()


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("recorded", [True, False])
def test_in_files_of_the_hub(models, place, recorded):
    pull(models["unpinned"], quiet)
    if not recorded:  # as another program would have downloaded them
        record_path("nobody/bert").unlink()
    for file in ("config.json", "model.safetensors"):
        undo = flip(hub.downloaded_file("nobody/bert", file), place)
        assert damaged(check.of_model(models["unpinned"])) == [file]
        assert damaged(check.of_path(hub.downloaded_repository("nobody/bert"))) == [file]
        undo()
    assert set(verdicts(check.of_model(models["unpinned"])).values()) == {check.INTACT}


def test_in_a_file_that_is_read_though_it_was_not_asked_for(models):
    pull(models["weights"], quiet)
    folder = hub.downloaded_repository("nobody/bert")
    blob = hub.cache_of("nobody/bert") / "blobs" / hashlib.sha256(b"{}").hexdigest()
    blob.write_bytes(b"{}")
    (folder / "tokenizer_config.json").symlink_to(blob)
    assert "tokenizer_config.json" in verdicts(check.of_model(models["weights"]))
    blob.write_bytes(b"[]")
    assert damaged(check.of_model(models["weights"])) == ["tokenizer_config.json"]


def test_a_recorded_file_that_is_gone_is_damage(models):
    pull(models["pipe"], quiet)
    (hub.downloaded_repository("nobody/pipe") / "tokenizer" / "vocab.txt").unlink()
    assert damaged(check.of_model(models["pipe"])) == ["vocab.txt"]


@pytest.mark.parametrize("place", PLACES)
def test_in_a_file_from_an_address(models, tmp_path, place):
    path = tmp_path / "torch" / "hub" / "checkpoints" / "head.pth"
    path.parent.mkdir(parents=True)
    path.write_bytes(HEAD)  # put there by hand: the beginning of the digest is known
    assert verdicts(check.of_model(models["head"])) == {"head.pth": check.INTACT}
    flip(path, place)
    assert damaged(check.of_model(models["head"])) == ["head.pth"]
    shutil.copy(path, tmp_path / "head.pth")
    assert damaged(check.of_path(tmp_path / "head.pth")) == ["head.pth"]
    shutil.copy(path, tmp_path / "net-0123abcd.pth")
    assert damaged(check.of_path(tmp_path / "net-0123abcd.pth")) == ["net-0123abcd.pth"]


@pytest.mark.parametrize("place", PLACES)
def test_in_a_converted_checkpoint(tmp_path, monkeypatch, place):
    torch = pytest.importorskip("torch")
    monkeypatch.setenv("EVO_T2I_CACHE", str(tmp_path))
    folder = tmp_path / "models" / "lafite" / "coco"
    save(
        folder,
        {"G_ema": StoredNetwork("Generator", {"z_dim": 3}, {"a": torch.ones(9)})},
        text_encoder=None,
        source={"file": "a.pkl", "sha256": "0" * 64},
        card=(
            "# A card\n\n- sha256 of model.safetensors: {digest}\n"
            "- sha256 of config.json: {config_digest}\n"
        ),
    )
    kinds = {"CARD.md": check.UNKNOWN, "config.json": check.INTACT}
    assert verdicts(check.of_path(folder)) == kinds | {"model.safetensors": check.INTACT}
    for file in ("config.json", "model.safetensors"):
        undo = flip(folder / file, place)
        assert damaged(check.of_path(folder)) == [file]
        assert damaged(check.of_model(find("lafite"))) == [file]
        undo()
    (folder / "CARD.md").unlink()  # the config knows of the weights, too
    flip(folder / "model.safetensors", place)
    assert damaged(check.of_path(folder)) == ["model.safetensors"]


def test_a_file_of_unknown_origin_is_said_to_be_that(tmp_path):
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "model.safetensors").write_bytes(WEIGHTS)
    assert verdicts(check.of_path(folder)) == {"model.safetensors": check.UNKNOWN}
    assert verdicts(check.of_path(folder / "model.safetensors")) == {
        "model.safetensors": check.UNKNOWN
    }
    (folder / "ViT-B-32.pt").write_bytes(b"not OpenAI's archive")
    assert damaged(check.of_path(folder / "ViT-B-32.pt")) == ["ViT-B-32.pt"]
    with pytest.raises(UsageError, match="is neither a model of `evo-t2i models list`, nor a file"):
        check.of_path(tmp_path / "none")


def test_progress_counts_every_byte(tmp_path):
    path = tmp_path / "net-00000000.pth"
    path.write_bytes(bytes(3 * 2**20 + 5))
    events = []
    (expected,) = check.of_path(path)
    check.check(expected, lambda *event: events.append(event))
    assert [done for _, _, done, _ in events] == [2**20, 2 * 2**20, 3 * 2**20, 3 * 2**20 + 5]
    assert {total for *_, total in events} == {3 * 2**20 + 5}


def test_the_catalogue_holds_together():
    assert len(set(catalogue.names())) == len(catalogue.MODELS)
    for model in catalogue.MODELS:
        for part in model.parts:
            if isinstance(part, catalogue.HubFiles):
                assert part.revision is None or len(part.revision) == 40
                assert all(len(digest) == 64 for digest in part.sha256.values())
                if isinstance(part.files, tuple):
                    assert part.sha256.keys() <= set(part.files)
    with pytest.raises(UsageError, match="did you mean 'stabilityai/sd-turbo'"):
        find("sd-turbo")
