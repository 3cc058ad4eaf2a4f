"""Threads that load models at one time, as a server that samples for several people does."""

import threading

import torch

from evo_t2i.features.clip import ClipFeatures
from evo_t2i.features.words import WordFeatures
from evo_t2i.generators.builtin import BuiltinGenerator
from evo_t2i.models.loading import loading

CPU = torch.device("cpu")
CAPTION = "a red bus at noon."


def test_one_thread_at_a_time_and_again_for_whoever_holds_it():
    inside, order = threading.Event(), []

    def second():
        inside.wait()
        with loading():
            order.append("second")

    thread = threading.Thread(target=second)
    thread.start()
    with loading():
        inside.set()
        thread.join(0.2)
        with loading():
            order.append("first")
    thread.join()
    assert order == ["first", "second"]


@torch.inference_mode()
def test_three_threads_load_the_same_models(monkeypatch, tmp_path):
    monkeypatch.setenv("EVO_T2I_CACHE", str(tmp_path))
    found, failed = [], []
    start = threading.Barrier(3)
    makers = (
        lambda: WordFeatures(device=CPU, labels=["bus", "cat"]),
        lambda: ClipFeatures(device=CPU),
        lambda: BuiltinGenerator(device=CPU),
    )
    for make in makers:  # imports take turns by themselves
        make()

    def load(first):
        try:
            start.wait()
            order = [*makers[first:], *makers[:first]]
            made = {type(each).__name__: each for each in (make() for make in order)}
            with torch.inference_mode():
                condition = made["BuiltinGenerator"].condition(CAPTION)
                clip, words = made["ClipFeatures"], made["WordFeatures"]
                found.append((condition, {**clip.text(CAPTION), **words.text(CAPTION)}))
        except Exception as error:
            failed.append(error)

    threads = [threading.Thread(target=load, args=(first,)) for first in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    for condition, text in found[1:]:
        assert torch.equal(condition, found[0][0])
        assert all(torch.equal(text[name], found[0][1][name]) for name in text)
