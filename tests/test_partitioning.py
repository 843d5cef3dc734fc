"""Costs against their definition gate by gate, the partitioner against enumeration, closed forms and a well-kept partitioner."""

import numpy as np
import pytest

from chapters.partitioning.arms import STARTS, cut
from chapters.partitioning.circuits import FAMILIES, cp_fraction, qft, quantum_volume, scheduled
from chapters.partitioning.cost import groups_of, pairs, seats_of
from chapters.partitioning.heuristics import block_order, filled_from_the_end, optimum, random_places, static
from chapters.partitioning.method import check
from chapters.partitioning.multilevel import Pass, partition
from chapters.partitioning.settings import CuttingRun
from lightweights.datasets.loading import nothing
from lightweights.settings.base import SettingsError
from lightweights.settings.runs import Run
from lightweights.study.contract import check_run


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def test_gates_stand_as_early_as_their_qubits_allow():
    circuit = scheduled(4, [(0,), (0, 1), (2, 3), (1,), (1, 2), (0, 3)])
    assert circuit.layers == (((0, 1), (2, 3)), ((1, 2), (0, 3)))
    assert circuit.turned == {(0, 0), (1, 1)}


def test_families_have_the_gates_they_should():
    assert sum(map(len, qft(9, rng()).layers)) == 9 * 8 / 2
    assert len(qft(9, rng()).layers) == 2 * 9 - 3
    assert sum(map(len, quantum_volume(8, rng()).layers)) == 8 * 4 * 3
    many = sum(map(len, FAMILIES["qaoa"](60, rng()).layers))
    assert many == pytest.approx(60 * 59 / 4, rel=0.1)
    share = 2 * sum(map(len, cp_fraction(60, rng(), 0.3).layers)) / 60**2
    assert share == pytest.approx(0.3, abs=0.02)
    for family in FAMILIES.values():
        for layer in family(10, rng()).layers:
            assert len({q for gate in layer for q in gate}) == 2 * len(layer)


def test_a_copy_serves_all_gates_until_the_control_is_turned():
    served = scheduled(4, [(0, 1), (0, 2), (0, 3)])
    broken = scheduled(4, [(0, 1), (0, 2), (0,), (0, 3)])
    apart = {row: static(served, list(row)) for row in [(0, 1, 1, 1), (0, 1, 2, 2), (0, 0, 0, 1)]}
    assert [pairs(groups_of(served), places) for places in apart.values()] == [1, 2, 1]
    assert pairs(groups_of(broken), static(broken, [0, 1, 1, 1])) == 2


def test_a_target_may_be_the_root_of_an_open_group():
    circuit = scheduled(4, [(0, 1), (2, 0), (3, 0)])
    assert [len(group.receivers) for group in groups_of(circuit)] == [3]


def test_teleported_qubits_cost_one_pair_each_time():
    circuit = scheduled(2, [(0, 1), (0,), (0, 1), (0,), (0, 1)])
    places = np.array([[0, 1, 0], [0, 0, 0]])
    assert pairs(groups_of(circuit), places) == 2 + 1


@pytest.mark.parametrize("family", FAMILIES)
def test_every_gate_is_in_one_group_and_no_group_spans_a_turn(family):
    circuit = FAMILIES[family](9, rng(1))
    seen = []
    for group in groups_of(circuit):
        root, layers = group.roots[0][0], [layer for _, layer in group.roots]
        assert {q for q, _ in group.roots} == {root}
        assert not any((root, layer) in circuit.turned for layer in range(min(layers) + 1, max(layers) + 1))
        seen += [(layer, frozenset((root, other))) for other, layer in group.receivers]
    assert sorted(map(str, seen)) == sorted(str((layer, frozenset(gate))) for layer, gates in enumerate(circuit.layers) for gate in gates)


@pytest.mark.parametrize(("qubits", "processors", "published"), [(16, 2, 7), (24, 2, 11), (16, 4, 18), (24, 4, 30)])
def test_the_fourier_transform_takes_the_published_pairs_and_order_alone_gives_them(qubits, processors, published):
    circuit = qft(qubits, rng())
    groups = groups_of(circuit)
    assert published == (qubits // 2 - 1 if processors == 2 else 3 * qubits // 2 - 6)
    assert pairs(groups, filled_from_the_end(circuit, processors)) == published
    assert pairs(groups, partition(circuit, processors, rng())) == published
    assert pairs(groups, block_order(circuit, processors)) == (qubits // 2 if processors == 2 else 3 * qubits // 2)


@pytest.mark.parametrize("seed", range(4))
def test_small_circuits_reach_the_exact_optimum(seed):
    drawn = rng(seed)
    gates = [(int(a), int(b)) for a, b in (drawn.choice(4, 2, replace=False) for _ in range(6))]
    circuit = scheduled(4, [gate for pair in gates for gate in (pair, (pair[0],))])
    circuit = type(circuit)(4, circuit.layers[:4], frozenset(node for node in circuit.turned if node[1] < 4))
    found = pairs(groups_of(circuit), partition(circuit, 2, drawn))
    assert found == optimum(circuit, 2)


def test_the_order_of_qubits_is_a_start_of_the_search_so_that_only_random_starts_can_end_above_it():
    circuit = qft(16, rng())
    groups = groups_of(circuit)
    ordered = pairs(groups, filled_from_the_end(circuit, 4))
    found = [pairs(groups, partition(circuit, 4, rng(seed), ordered=False)) for seed in range(3)]
    assert pairs(groups, partition(circuit, 4, rng())) == ordered
    assert min(found) >= ordered
    assert max(found) > ordered
    assert cut(STARTS, circuit, 4, rng(0)) == found[0]


def test_as_many_starts_are_made_with_the_order_as_without_it(monkeypatch):
    drawn = []
    monkeypatch.setitem(partition.__globals__, "random_places", lambda *given: drawn.append(1) or random_places(*given))
    for ordered, random in ((True, 2), (False, 4)):
        drawn.clear()
        partition(cp_fraction(6, rng(), 0.5), 2, rng(), ordered=ordered)
        assert len(drawn) == random


def test_runs_from_before_random_starts_keep_their_identity_and_one_way_is_one_round():
    tree = {"method": "cutting", "numerics_version": 1, "dataset": {"name": "none"}, "schedule": {"rounds": 6}}
    assert CuttingRun.model_validate(tree | {"cutting": {"qubits": 16}}).plain()["cutting"].keys() == {"family", "qubits", "fraction"}
    alone = CuttingRun.model_validate(tree | {"cutting": {"ways": STARTS}})
    with pytest.raises(SettingsError, match=r"here: schedule.rounds = 6: cutting.ways = random_starts has 1"):
        check(alone, "here")


def test_enumeration_refuses_what_is_too_large():
    with pytest.raises(ValueError, match="too many to enumerate"):
        optimum(qft(10, rng()), 2)


@pytest.mark.parametrize("family", FAMILIES)
def test_gains_are_differences_of_pairs_and_seats_are_kept(family):
    circuit = FAMILIES[family](8, rng(2))
    groups = groups_of(circuit)
    places = random_places(circuit, 3, rng(3))
    search = Pass(groups, places, len(circuit.layers), 3, seats_of(8, 3))
    before = pairs(groups, places)
    for node in rng(4).integers(0, places.size, 12):
        to = int(rng(int(node)).integers(3))
        if to != search.place[node]:
            gain = search.gain(int(node), to)
            search.move(int(node), to)
            now = pairs(groups, np.array(search.place).reshape(places.shape))
            assert before - now == gain
            before = now
    found = partition(circuit, 3, rng(5))
    assert max(np.bincount(column, minlength=3).max() for column in found.T) <= seats_of(8, 3)
    assert pairs(groups, found) <= pairs(groups, filled_from_the_end(circuit, 3))


def test_static_places_beat_none_of_ours_even_from_a_well_kept_partitioner():
    pymetis = pytest.importorskip("pymetis")
    circuit = quantum_volume(16, rng(6))
    near = [[] for _ in range(16)]
    weights = np.zeros((16, 16), int)
    for layer in circuit.layers:
        for a, b in layer:
            weights[a, b] += 1
            weights[b, a] += 1
    near = [np.flatnonzero(row).tolist() for row in weights]
    _, row = pymetis.part_graph(2, adjacency=near, eweights=[int(weights[a, b]) for a in range(16) for b in near[a]])
    cut = pairs(groups_of(circuit), static(circuit, list(row)))
    assert cut == sum(row[a] != row[b] for layer in circuit.layers for a, b in layer)
    assert pairs(groups_of(circuit), partition(circuit, 2, rng(7))) < cut


def test_runs_keep_the_contract():
    own = {"cutting": {"family": "cp_fraction", "qubits": 4, "processors": [2, 3]}}
    settings = CuttingRun.model_validate(
        {
            "method": "cutting",
            "numerics_version": 1,
            "dataset": {"name": "none"},
            **own,
            "schedule": {},
        }
    )
    run = Run(study="study", experiment="cutting", variant="base", seed=0, settings=settings)
    lines = list(check_run(run, nothing()))
    assert "killed after the first and taken up again it ends with the same bits" in lines
