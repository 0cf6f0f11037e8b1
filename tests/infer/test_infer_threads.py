"""Threads share one book: each estimate once, whoever asks, and what is computed ahead never shows in the graph."""

import threading

import numpy as np
import pandas as pd
import pytest

from cytocause.infer import estimates, infer
from cytocause.infer.estimates import Book
from cytocause.infer.settings import read_settings
from cytocause.infer.skeleton import Graph, initialise, restart, thin
from cytocause.infer.table import read_data
from cytocause.infer.unfolding import unfold


def chain(n=400, p=6, seed=0, gaps=0.0):
    """Each variable follows the one before it and, weaker, the one before that: edges with several contributors each."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, p))
    for k in range(1, p):
        x[:, k] += x[:, k - 1] + (0.5 * x[:, k - 2] if k > 1 else 0)
    x[rng.random(x.shape) < gaps] = np.nan
    return pd.DataFrame(x, columns=[f"v{k}" for k in range(p)])


def book_of(table, threads):
    settings = read_settings({})
    unfolded = unfold(read_data(table, None, trajectory="trajectory", time=None), settings, [])
    return Graph(unfolded, settings), Book(unfolded, settings, threads)


@pytest.fixture
def computed(monkeypatch):
    """Keys in the order in which they were computed."""
    keys = []
    before = Book._compute
    monkeypatch.setattr(Book, "_compute", lambda book, new, *more: keys.extend(new) or before(book, new, *more))
    return keys


@pytest.mark.parametrize("gaps", [0.0, 0.05])
@pytest.mark.parametrize("threads", [2, 8])
def test_no_estimate_is_made_twice_and_none_is_left_out(computed, threads, gaps):
    table, made = chain(gaps=gaps, p=8), {}
    for n in (1, threads):
        computed.clear()
        graph, book = book_of(table, n)
        try:
            initialise(graph, book, lambda *_: None)
            thin(graph, book, lambda *_: None)
        finally:
            book.close()
        assert len(computed) == len(set(computed))
        # a set of rows has another number when another thread met it first
        made[n] = {(*key[:3], book._mask_of[key[3]]) for key in computed}
    # what one thread needs, whichever order they were made in; the rest is what was computed ahead
    assert made[1] <= made[threads]


def test_two_who_ask_for_the_same_share_one_computation(computed, monkeypatch):
    _, book = book_of(chain(), 2)
    begun, go_on = threading.Event(), threading.Event()
    kernel = estimates.estimate

    def slow(*arguments):
        begun.set()
        assert go_on.wait(30)
        kernel(*arguments)

    monkeypatch.setattr(estimates, "estimate", slow)
    keys = [book.key(0, 1), book.key(0, 2)]
    first = book.begin(lambda own: own.request(keys))
    assert begun.wait(30)
    second = book.begin(lambda own: own.get(keys[1]))
    assert not second.done()
    go_on.set()
    assert second.result(30) == book.entries[keys[1]]
    first.result(30)
    book.close()
    assert computed == keys


def test_who_waits_computes_it_when_the_other_failed(monkeypatch):
    _, book = book_of(chain(), 2)
    begun, go_on = threading.Event(), threading.Event()
    kernel = estimates.estimate
    calls = []

    def fails_once(*arguments):
        calls.append(1)
        if len(calls) == 1:
            begun.set()
            assert go_on.wait(30)
            raise MemoryError
        kernel(*arguments)

    monkeypatch.setattr(estimates, "estimate", fails_once)
    key = book.key(0, 1)
    first = book.begin(lambda own: own.get(key))
    assert begun.wait(30)
    second = book.begin(lambda own: own.get(key))
    go_on.set()
    with pytest.raises(MemoryError):
        first.result(30)
    assert second.result(30)[2] == 400
    book.close()


def test_a_closed_book_stops_what_its_threads_still_compute(monkeypatch):
    _, book = book_of(chain(), 2)
    begun, go_on = threading.Event(), threading.Event()
    kernel = estimates.estimate
    calls = []

    def first_waits(*arguments):
        calls.append(1)
        begun.set()
        assert go_on.wait(30)
        kernel(*arguments)

    monkeypatch.setattr(estimates, "estimate", first_waits)
    monkeypatch.setattr(estimates, "CHUNK", 1)
    task = book.begin(lambda own: own.request([own.key(0, k) for k in range(1, 6)]))
    assert begun.wait(30)
    closing = threading.Thread(target=book.close)
    closing.start()
    go_on.set()
    closing.join(30)
    assert task.exception(30) is not None and len(calls) < 5


@pytest.mark.parametrize("threads", [2, 3, 8])
def test_steps_computed_ahead_leave_the_same_skeleton(threads):
    found = []
    for n in (1, threads):
        graph, book = book_of(chain(n=600, p=9, seed=2), n)
        initialise(graph, book, lambda *_: None)
        thin(graph, book, lambda *_: None)
        # and again from the start, with a book that knows more than it will be asked for
        once = [(e.x, e.y, e.contributors, e.shifted_given, e.connected) for e in graph.edges.values()]
        restart(graph)
        thin(graph, book, lambda *_: None)
        book.close()
        assert once == [(e.x, e.y, e.contributors, e.shifted_given, e.connected) for e in graph.edges.values()]
        found.append(once)
    assert found[0] == found[1]
    assert any(len(contributors) > 1 for *_, contributors, _, _ in found[0])


def test_a_consistent_graph_is_the_same_on_threads():
    table = chain(n=500, p=7, seed=3)
    config = {"consistent": "skeleton"}
    one, two = (infer(table, None, config, time=None, threads=n).edges for n in (1, 2))
    pd.testing.assert_frame_equal(one, two)
