"""`models list`, `pull`, `check` and `path`, here and as programs of their own."""

import hashlib
import json
import os
import signal
import subprocess
import sys
import time

import pytest
from fake_hub import COMMIT, WEIGHTS, FakeHub

from evo_t2i.checkpoints import catalogue, hub

PROGRAM = "from evo_t2i.cli.main import main; main()"
L14 = catalogue.CLIP_L14


def test_the_real_catalogue_is_listed(evo, monkeypatch, tmp_path):
    for name in ("EVO_T2I_CACHE", "TORCH_HOME"):
        monkeypatch.setenv(name, str(tmp_path))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    result = evo("models", "list")
    rows = {line.split()[0]: line for line in result.out.splitlines()[1:]}
    assert list(rows) == catalogue.names()
    assert rows["builtin-generator"].endswith("present")
    assert rows["all-MiniLM-L6-v2"].endswith("present")
    assert "605 MB" in rows["ViT-B-32-quickgelu:openai"]
    assert rows["vgg19_bn:imagenet"].endswith("missing")
    assert "evo-t2i models pull NAME" in result.err
    facts = {model["name"]: model for model in json.loads(evo("models", "list", "--json").out)}
    (part,) = facts["bert-base-uncased"]["parts"]
    assert part["revision"] == catalogue.BERT.revision
    assert part["pinned_by"] == "catalogue"
    assert len(part["missing"]) == 5
    (tmp_path / "models" / "lafite").mkdir(parents=True)
    (tmp_path / "models" / "lafite" / "coco.pkl").touch()
    out = evo("models", "list").out
    assert f"lafite:{tmp_path / 'models' / 'lafite' / 'coco.pkl'}" in out


def test_pull_list_path_and_check(evo, models, tmp_path):
    assert [line.split()[-1] for line in evo("models", "list").out.splitlines()[1:]] == [
        "missing"
    ] * len(models)
    result = evo("models", "pull", "unpinned", "head")
    assert result.code == 0, result.err
    assert "unpinned · licence: none" in result.err
    assert "fetching model.safetensors (0.1 MB)" in result.err
    assert "verifying head.pth (0.0 MB)" in result.err
    assert "2 fetched, all verified" in result.out
    assert COMMIT[:12] in result.out
    again = evo("models", "pull", "unpinned", "--quiet", "--json")
    assert again.err == ""
    (facts,) = json.loads(again.out)
    assert (facts["name"], facts["revision"], facts["fetched"]) == ("unpinned", COMMIT, [])
    listed = {model["name"]: model for model in json.loads(evo("models", "list", "--json").out)}
    assert listed["both"]["here"] == "present"
    assert listed["unpinned"]["parts"][0]["pinned_by"] == "first pull"
    digest = hashlib.sha256(WEIGHTS).hexdigest()
    assert listed["unpinned"]["parts"][0]["sha256"]["model.safetensors"] == digest
    folder = evo("models", "path", "unpinned")
    assert (folder.out, folder.err) == (f"{hub.downloaded_repository('nobody/bert')}\n", "")
    assert evo("models", "path").out == f"{tmp_path / 'cache' / 'models'}\n"
    missing = evo("models", "path", "pipe")
    assert missing.out == f"{hub.by_hand('nobody/pipe')}\n"
    assert missing.err == "pipe is not complete: model_index.json would be looked for there.\n"

    assert evo("models", "check", "--quiet").code == 0
    path = hub.downloaded_file("nobody/bert", "model.safetensors")
    path.write_bytes(WEIGHTS[:-1] + bytes([WEIGHTS[-1] ^ 1]))
    for arguments in ([], ["unpinned"], [str(path)], [str(path.parent)]):
        result = evo("models", "check", "--quiet", *arguments)
        assert result.code == 3
        assert str(path) in result.err
        assert result.err.count("\n") == 1
        assert any("damaged" in line and str(path) in line for line in result.out.splitlines())
    assert (
        "`evo-t2i models pull unpinned` fetches what is damaged again."
        in evo("models", "check", "unpinned", "--quiet").err
    )
    verdicts = json.loads(evo("models", "check", "unpinned", "--quiet", "--json").out)
    assert [each["verdict"] for each in verdicts] == ["intact", "damaged"]
    assert evo("models", "pull", "unpinned", "--quiet").code == 0
    assert evo("models", "check", "unpinned", "--quiet").code == 0


def test_a_folder_without_digests_is_said_to_have_none(evo, tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "model.safetensors").write_bytes(WEIGHTS)
    result = evo("models", "check", "mine", "--quiet")
    assert result.code == 0
    assert "mine  no digest known  mine/model.safetensors" in result.out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["pull", "bert-base-uncase"], "did you mean 'bert-base-uncased'?"),
        (["pull", "lafite"], "no address that could be pinned"),
        (["path", "nothing-at-all-like-it"], "see `evo-t2i models list`"),
        (["check", "nowhere"], "nowhere is neither a model of"),
    ],
)
def test_a_wrong_name_is_refused_in_one_line(evo, arguments, message):
    result = (
        evo("models", *arguments, "--quiet")
        if arguments[0] != "path"
        else evo("models", *arguments)
    )
    assert result.code == 2
    assert (result.out, result.err.count("\n")) == ("", 1)
    assert message in result.err


@pytest.mark.usefixtures("models")
def test_a_closed_network_ends_with_1_and_one_line(evo, fake_hub, tmp_path):
    fake_hub.close()
    result = evo("models", "pull", "pinned", "--quiet")
    assert result.code == 1
    assert result.err.count("\n") == 1
    assert (
        f"into {hub.by_hand('nobody/bert')}: {fake_hub.address}/nobody/bert/resolve/" in result.err
    )
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


@pytest.fixture
def l14():
    """A hub with a stand-in for ViT-L/14, whose digest the catalogue does not know."""
    server = FakeHub()
    server.commit = L14.revision
    server.repositories = {L14.repository: {L14.files[0]: WEIGHTS}}
    yield server
    server.close()


def environment(server, tmp_path, **more):
    folders = {
        "HF_HOME": str(tmp_path / "hf"),
        "EVO_T2I_CACHE": str(tmp_path / "cache"),
        "TORCH_HOME": str(tmp_path / "torch"),
    }
    inherited = {k: v for k, v in os.environ.items() if not k.lower().endswith("_proxy")}
    return inherited | folders | {"HF_ENDPOINT": server.address} | more


def command(*arguments):
    return [sys.executable, "-c", PROGRAM, "models", *arguments]


def test_hf_endpoint_and_hf_home_are_honoured(l14, tmp_path):
    options = {"capture_output": True, "text": True, "check": False}
    surroundings = environment(l14, tmp_path)
    result = subprocess.run(
        command("pull", "ViT-L-14-quickgelu:openai"), env=surroundings, **options
    )
    assert result.returncode == 0, result.stderr
    assert "licence: MIT" in result.stderr
    snapshot = tmp_path / "hf" / "hub" / "models--timm--vit_large_patch14_clip_224.openai"
    path = snapshot / "snapshots" / L14.revision / L14.files[0]
    assert path.read_bytes() == WEIGHTS
    # offline, what is here still is
    surroundings |= {"HF_HUB_OFFLINE": "1"}
    arguments = ("pull", "ViT-L-14-quickgelu:openai", "vgg19_bn:imagenet", "--quiet")
    result = subprocess.run(command(*arguments), env=surroundings, **options)
    assert result.returncode == 1
    assert "vgg19_bn:imagenet cannot be fetched (HF_HUB_OFFLINE is set)" in result.stderr
    assert "Traceback" not in result.stderr


def test_an_interrupted_pull_leaves_nothing_that_looks_whole_and_goes_on(l14, tmp_path):
    l14.repositories[L14.repository][L14.files[0]] = data = WEIGHTS * 300  # 15 MB
    l14.hold[L14.files[0]] = 12_000_000  # one piece of ten million bytes arrives, no second one
    surroundings = environment(l14, tmp_path)
    process = subprocess.Popen(
        command("pull", "ViT-L-14-quickgelu:openai"),
        env=surroundings,
        stderr=subprocess.PIPE,
        # what is begun in the background of a script inherits that Ctrl-C is ignored
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    while not any(path.stat().st_size for path in tmp_path.rglob("*.incomplete")):
        assert process.poll() is None, process.stderr.read()
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130, said
    assert said.endswith(b"Stopped.\n")
    assert not list(tmp_path.rglob("open_clip_model.safetensors"))
    (part,) = tmp_path.rglob("*.incomplete")
    size = part.stat().st_size
    assert 0 < size < len(data)
    l14.hold.clear()
    l14.released.set()
    result = subprocess.run(
        command("pull", "ViT-L-14-quickgelu:openai", "--quiet"), env=surroundings, check=False
    )
    assert result.returncode == 0
    assert l14.ranges(L14.files[0]) == [None, f"bytes={size}-"]
    (path,) = tmp_path.rglob("open_clip_model.safetensors")
    assert path.read_bytes() == data
