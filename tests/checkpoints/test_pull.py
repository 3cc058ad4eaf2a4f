"""Pulling from a server on this machine that answers as the hub does."""

import dataclasses
import hashlib
from pathlib import Path
from types import SimpleNamespace

import huggingface_hub
import pytest
from fake_hub import COMMIT, FILES, HEAD, WEIGHTS

from evo_t2i.checkpoints import hub
from evo_t2i.checkpoints.catalogue import Model, find
from evo_t2i.checkpoints.inventory import state
from evo_t2i.checkpoints.pull import pull, staging
from evo_t2i.checkpoints.records import read_record, record_path
from evo_t2i.errors import DiskFullError, EvoError, ModelError, UsageError


def quiet(*_event):
    pass


def files_under(folder):
    return sorted(str(p.relative_to(folder)) for p in Path(folder).rglob("*") if p.is_file())


def whole_files(tmp_path):
    """Everything that a program could take for a model's file."""
    return [name for name in files_under(tmp_path) if not name.endswith((".incomplete", ".lock"))]


def unfinished(models, data):
    """Leave ``data`` as what had arrived of the weights when a pull stopped."""
    folder = staging(models["weights"].parts[0]) / "models--nobody--bert" / "blobs"
    folder.mkdir(parents=True)
    (folder / f"{hashlib.sha256(WEIGHTS).hexdigest()}.incomplete").write_bytes(data)


def test_a_pulled_repository_is_where_every_program_looks(models, tmp_path):
    events = []
    (result,) = pull(models["pinned"], lambda *event: events.append(event))
    assert result.fetched == ("config.json", "model.safetensors")
    assert (result.revision, result.size) == (COMMIT, len(WEIGHTS) + 8)
    assert state(models["pinned"]) == "present"
    assert hub.downloaded_file("nobody/bert", "model.safetensors").read_bytes() == WEIGHTS
    for revision in (None, COMMIT):
        found = huggingface_hub.hf_hub_download(
            "nobody/bert", "config.json", revision=revision, local_files_only=True
        )
        assert Path(found).read_bytes() == FILES["config.json"]
    (repository,) = huggingface_hub.scan_cache_dir(tmp_path / "hub").repos
    assert (repository.nb_files, repository.size_on_disk) == (2, len(WEIGHTS) + 8)
    assert not list(tmp_path.rglob("*.incomplete"))
    assert not list(tmp_path.rglob("pytorch_model.bin"))
    fetching = [event for event in events if event[:2] == ("fetching", "model.safetensors")]
    assert fetching[-1] == ("fetching", "model.safetensors", len(WEIGHTS), len(WEIGHTS))
    assert events[-1] == ("verifying", "model.safetensors", len(WEIGHTS), len(WEIGHTS))


def test_what_is_here_is_not_fetched_nor_asked_for_again(fake_hub, models):
    pull(models["pinned"], quiet)
    fake_hub.asked.clear()
    (result,) = pull(models["pinned"], quiet)
    assert result.fetched == ()
    assert fake_hub.asked == []


def test_the_first_pull_pins_what_the_hub_states(fake_hub, models):
    pull(models["unpinned"], quiet)
    record = read_record("nobody/bert")
    assert record.revision == COMMIT
    assert record.files["model.safetensors"].sha256 == hashlib.sha256(WEIGHTS).hexdigest()
    assert record.files["config.json"].sha256 == hashlib.sha256(FILES["config.json"]).hexdigest()
    # the branch moves on, the machine loses a file: the pinned revision is asked for
    fake_hub.commit = "d" * 40
    hub.downloaded_file("nobody/bert", "model.safetensors").unlink()
    (hub.cache_of("nobody/bert") / "blobs" / hashlib.sha256(WEIGHTS).hexdigest()).unlink()
    with pytest.raises(EvoError, match=r"the host answered 404.*/resolve/c{40}/config\.json"):
        pull(models["unpinned"], quiet)
    fake_hub.commit = COMMIT
    assert pull(models["unpinned"], quiet)[0].fetched == ("model.safetensors",)


def test_a_pinned_revision_is_held_to_though_main_moved_on(fake_hub, models):
    pull(models["pinned"], quiet)
    assert [path for _, path, _ in fake_hub.asked if path.startswith("api/")] == [
        f"api/models/nobody/bert/revision/{COMMIT}"
    ]
    newer = hub.cache_of("nobody/bert") / "snapshots" / ("e" * 40)
    newer.mkdir()
    (newer / "model.safetensors").write_bytes(b"another")
    (hub.cache_of("nobody/bert") / "refs" / "main").write_text("e" * 40)
    assert hub.downloaded_file("nobody/bert", "model.safetensors").read_bytes() == WEIGHTS


def test_another_pin_of_a_later_version_takes_the_place_of_the_first(fake_hub, models):
    pull(models["unpinned"], quiet)
    fake_hub.commit = "d" * 40
    fake_hub.repositories["nobody/bert"]["config.json"] = b'{"a": 2}'
    part = dataclasses.replace(models["unpinned"].parts[0], revision="d" * 40)
    assert pull(Model("later", "tests", "none", (part,)), quiet)[0].fetched == ("config.json",)
    assert read_record("nobody/bert").revision == "d" * 40
    assert hub.downloaded_file("nobody/bert", "config.json").read_bytes() == b'{"a": 2}'
    assert hub.downloaded_file("nobody/bert", "model.safetensors").read_bytes() == WEIGHTS


def test_a_reference_of_another_program_is_left_alone(models):
    main = hub.cache_of("nobody/bert") / "refs" / "main"
    main.parent.mkdir(parents=True)
    main.write_text("e" * 40)
    pull(models["pinned"], quiet)
    assert main.read_text() == "e" * 40


@pytest.mark.parametrize("file", ["model.safetensors", "config.json"])
def test_other_bytes_than_the_hub_states_never_count(fake_hub, models, tmp_path, file):
    data = bytearray(FILES[file])
    data[-3] ^= 1
    fake_hub.sent[file] = bytes(data)
    with pytest.raises(ModelError, match=rf"is not {file} as it was pinned: its digest differs"):
        pull(models["unpinned"], quiet)
    assert state(models["unpinned"]) != "present"
    assert not any(file in name for name in whole_files(tmp_path))
    assert not list(tmp_path.rglob("*.incomplete"))
    del fake_hub.sent[file]
    pull(models["unpinned"], quiet)
    assert state(models["unpinned"]) == "present"


def test_a_hub_that_states_another_digest_than_was_pinned_is_refused(fake_hub, models, tmp_path):
    fake_hub.repositories["nobody/bert"]["model.safetensors"] = WEIGHTS[::-1]
    with pytest.raises(ModelError, match=r"The hub states the digest .*pinned is .*nothing was"):
        pull(models["pinned"], quiet)
    assert whole_files(tmp_path) == []


def test_a_cut_connection_is_resumed_where_it_broke(fake_hub, models, tmp_path):
    fake_hub.cut["model.safetensors"] = 20_000
    with pytest.raises(EvoError, match=r"the connection broke\); pull again later, which goes on"):
        pull(models["unpinned"], quiet)
    assert state(models["unpinned"]) == "partly"
    (part,) = tmp_path.rglob("*.incomplete")
    assert part.read_bytes() == WEIGHTS[:20_000]
    assert not any("model.safetensors" in name for name in whole_files(tmp_path))
    del fake_hub.cut["model.safetensors"]
    pull(models["unpinned"], quiet)
    assert fake_hub.ranges("model.safetensors") == [None, "bytes=20000-"]
    assert hub.downloaded_file("nobody/bert", "model.safetensors").read_bytes() == WEIGHTS


def test_connections_may_break_as_long_as_each_brings_something(fake_hub, models, monkeypatch):
    monkeypatch.setattr("evo_t2i.checkpoints.arriving.ATTEMPTS", 5)
    fake_hub.cut["model.safetensors"] = 20_000
    pull(models["unpinned"], quiet)
    assert fake_hub.ranges("model.safetensors") == [None, "bytes=20000-", "bytes=40000-"]
    assert hub.downloaded_file("nobody/bert", "model.safetensors").read_bytes() == WEIGHTS


def test_a_part_with_wrong_bytes_is_fetched_from_the_start(fake_hub, models):
    unfinished(models, b"\0" * len(WEIGHTS))
    pull(models["weights"], quiet)
    assert fake_hub.ranges("model.safetensors") == [None]
    blob = hub.cache_of("nobody/bert") / "blobs" / hashlib.sha256(WEIGHTS).hexdigest()
    assert blob.read_bytes() == WEIGHTS


def test_all_bytes_that_nobody_had_looked_at_are_taken_after_a_look(fake_hub, models):
    unfinished(models, WEIGHTS)
    assert pull(models["weights"], quiet)[0].fetched == ("model.safetensors",)
    assert fake_hub.ranges("model.safetensors") == []


def test_a_damaged_file_is_fetched_again(fake_hub, models):
    pull(models["pinned"], quiet)
    path = hub.downloaded_file("nobody/bert", "model.safetensors")
    data = bytearray(WEIGHTS)
    data[777] ^= 4
    path.write_bytes(data)
    fake_hub.asked.clear()
    assert pull(models["pinned"], quiet)[0].fetched == ("model.safetensors",)
    assert hub.downloaded_file("nobody/bert", "model.safetensors").read_bytes() == WEIGHTS


def test_a_pipeline_is_pulled_without_pickles_variants_and_checkers(models):
    (result,) = pull(models["pipe"], quiet)
    assert files_under(result.folder) == [
        "model_index.json",
        "tokenizer/vocab.txt",
        "unet/config.json",
        "unet/diffusion_pytorch_model.safetensors",
    ]
    (result.folder / "unet" / "config.json").unlink()
    assert state(models["pipe"]) == "partly"


def test_a_file_at_an_address_is_pulled_into_torchs_folder(fake_hub, models, tmp_path):
    fake_hub.cut["models/head.pth"] = 4_000
    with pytest.raises(EvoError, match=r"put these files into .*torch/hub/checkpoints: http"):
        pull(models["head"], quiet)
    assert whole_files(tmp_path) == []
    del fake_hub.cut["models/head.pth"]
    pull(models["head"], quiet)
    path = tmp_path / "torch" / "hub" / "checkpoints" / "head.pth"
    assert path.read_bytes() == HEAD
    assert fake_hub.ranges("head.pth") == [None, "bytes=4000-"]
    record = read_record(models["head"].parts[0].url)
    assert record.files["head.pth"].sha256 == hashlib.sha256(HEAD).hexdigest()
    fake_hub.sent["models/head.pth"] = HEAD[::-1]
    path.unlink()
    with pytest.raises(ModelError, match="its digest differs"):
        pull(models["head"], quiet)
    assert not path.exists()


def test_a_model_of_two_sources_is_whole_when_both_are_here(fake_hub, models):
    fake_hub.status = 503
    with pytest.raises(EvoError, match="the host answered 503"):
        pull(models["both"], quiet)
    fake_hub.status = None
    assert [each.source for each in pull(models["both"], quiet)] == [
        "nobody/bert",
        f"{fake_hub.address}/models/head.pth",
    ]
    assert state(models["both"]) == "present"


@pytest.mark.parametrize(
    ("name", "address"),
    [
        ("pinned", f"nobody/bert/resolve/{COMMIT}/model.safetensors"),
        ("pipe", "nobody/pipe/tree/main"),
        ("head", "models/head.pth"),
    ],
)
def test_a_closed_network_is_said_with_addresses_and_a_folder(
    fake_hub, models, tmp_path, name, address
):
    fake_hub.close()
    with pytest.raises(EvoError) as caught:
        pull(models[name], quiet)
    assert caught.value.exit_code == 1
    assert f"{fake_hub.address}/{address}" in str(caught.value)
    assert f"into {tmp_path}" in str(caught.value)
    assert whole_files(tmp_path) == []


@pytest.mark.parametrize("name", ["pinned", "head"])
def test_offline_mode_is_honoured(fake_hub, models, monkeypatch, name):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr("huggingface_hub.utils._http.constants.HF_HUB_OFFLINE", True)
    huggingface_hub.utils._http.reset_sessions()
    try:
        with pytest.raises(EvoError, match="HF_HUB_OFFLINE is set"):
            pull(models[name], quiet)
        assert fake_hub.asked == []
    finally:
        monkeypatch.undo()
        huggingface_hub.utils._http.reset_sessions()


def test_files_put_there_by_hand_are_found(models):
    folder = hub.by_hand("nobody/bert")
    folder.mkdir(parents=True)
    for name in ("config.json", "model.safetensors"):
        (folder / name).write_bytes(FILES[name])
    assert state(models["pinned"]) == "present"
    assert hub.downloaded_repository("nobody/bert") == folder


def test_too_little_space_is_said_in_advance(fake_hub, models, monkeypatch, tmp_path):
    monkeypatch.setattr("shutil.disk_usage", lambda _folder: SimpleNamespace(free=1_000))
    with pytest.raises(DiskFullError, match=r"0\.0 GB are needed in"):
        pull(models["pinned"], quiet)
    assert fake_hub.ranges("model.safetensors") == []
    assert whole_files(tmp_path) == []


def test_what_cannot_be_pulled_is_said():
    with pytest.raises(UsageError, match=r"no address that could be pinned; put .*models/lafite\."):
        pull(find("lafite"), quiet)
    with pytest.raises(UsageError, match="comes with evo-t2i"):
        pull(find("builtin-clip"), quiet)


def test_a_damaged_record_is_named(models):
    pull(models["pinned"], quiet)
    record_path("nobody/bert").write_text("{")
    with pytest.raises(ModelError, match=r"The record .*nobody--bert\.json cannot be read"):
        pull(models["pinned"], quiet)


def test_a_missing_file_of_a_repository_is_said(fake_hub, models):
    del fake_hub.repositories["nobody/bert"]["config.json"]
    with pytest.raises(ModelError, match=r"nobody/bert has no config\.json; nothing was fetched"):
        pull(models["unpinned"], quiet)


def test_a_repository_that_asks_for_consent_is_said_to(fake_hub, models):
    fake_hub.status, fake_hub.code = 403, "GatedRepo"
    with pytest.raises(EvoError, match=r"nobody/bert asks for consent: .*`hf auth login`"):
        pull(models["pinned"], quiet)


@pytest.mark.parametrize("name", ["../escaped.json", "unet/../../escaped.json", ".git/config.json"])
def test_names_that_leave_the_folder_are_not_taken(fake_hub, models, tmp_path, name):
    fake_hub.repositories["nobody/pipe"][name] = b"{}"
    pull(models["pipe"], quiet)
    assert not [path for path in tmp_path.rglob("*") if path.name == "escaped.json"]
    assert name not in read_record("nobody/pipe").files


def test_a_commit_that_is_a_path_is_refused(fake_hub, models, tmp_path):
    fake_hub.commit = "../../../escaped"
    with pytest.raises(ModelError, match="no commit or digest that can be held to"):
        pull(models["unpinned"], quiet)
    assert whole_files(tmp_path) == []
