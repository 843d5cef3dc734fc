"""Cuts against enumeration, the relaxation against its closed form, QAOA against matrix exponentials, merging against the whole graph."""

from itertools import combinations, product

import networkx as nx
import numpy as np
import pytest
from scipy.linalg import expm

from chapters.distributed_qaoa import classical, processors, qubo, wireless
from chapters.distributed_qaoa.arms import ARMS, Contest
from chapters.distributed_qaoa.distributed import at_random, balanced, merged, solve
from chapters.distributed_qaoa.graphs import cut_values, largest_cut, random_graph, strings
from chapters.distributed_qaoa.partition import balanced_parts, random_parts, sizes_of, weight_between
from chapters.distributed_qaoa.sampler import FIXED_ANGLES, Quality, Taken, probabilities, qaoa, uniform
from chapters.distributed_qaoa.settings import MaxcutRun, MaxcutSection
from lightweights.datasets.loading import nothing
from lightweights.errors import LightweightsError
from lightweights.settings.runs import Run
from lightweights.study.contract import check_run


def cycle(nodes: int) -> np.ndarray:
    return nx.to_numpy_array(nx.cycle_graph(nodes))


def brute(weights: np.ndarray) -> float:
    nodes = range(len(weights))
    sides = (set(side) for size in range(len(weights)) for side in combinations(nodes, size))
    return max(sum(weights[i, j] for i in side for j in nodes if j not in side) for side in sides)


def test_the_largest_cut_is_that_of_enumeration_and_of_known_graphs():
    weights = random_graph(9, 4, np.random.default_rng(0)) * np.random.default_rng(1).normal(size=(9, 9))
    weights = weights + weights.T
    value, spins = largest_cut(weights)
    assert value == pytest.approx(brute(weights))
    assert cut_values(weights, spins) == pytest.approx(value)
    assert largest_cut(cycle(7))[0] == 6
    assert largest_cut(nx.to_numpy_array(nx.complete_bipartite_graph(6, 7)))[0] == 42
    with pytest.raises(LightweightsError, match="23 nodes"):
        largest_cut(np.zeros((23, 23)))


def test_random_graphs_have_the_degree_asked_for():
    weights = random_graph(200, 6, np.random.default_rng(2))
    assert np.array_equal(weights, weights.T)
    assert np.diag(weights).sum() == 0
    assert weights.sum(1).mean() == pytest.approx(6, abs=0.7)


@pytest.mark.parametrize("search", [classical.random_cut, classical.local_search])
def test_searches_find_the_best_cut_of_a_small_graph_and_no_better(search):
    weights = random_graph(10, 4, np.random.default_rng(3))
    assert search(weights, 4000, np.random.default_rng(0)) == largest_cut(weights)[0]


def test_annealing_finds_the_best_cut_and_its_value_is_that_of_its_spins():
    weights = random_graph(14, 5, np.random.default_rng(4))
    value, spins = classical.annealing(weights, 20_000, np.random.default_rng(0))
    assert value == largest_cut(weights)[0] == cut_values(weights, spins)


def test_the_relaxation_of_an_odd_cycle_has_its_closed_form():
    vectors = classical.relaxed(cycle(5), np.random.default_rng(5), 2000)
    closed = 5 * (1 + np.cos(np.pi / 5)) / 2
    assert classical.relaxed_value(cycle(5), vectors) == pytest.approx(closed, abs=1e-5)
    assert classical.upper_bound(cycle(5), vectors) == pytest.approx(closed, abs=1e-3)


def test_the_bound_holds_for_any_vectors_and_rounding_keeps_its_promise():
    rng = np.random.default_rng(6)
    weights = random_graph(14, 5, rng)
    best = largest_cut(weights)[0]
    bad = rng.normal(size=(14, 6))
    bad /= np.linalg.norm(bad, axis=1, keepdims=True)
    assert classical.upper_bound(weights, bad) >= best
    found, bound = classical.goemans_williamson(weights, 500, rng)
    assert 0.878 * bound <= found <= best <= bound + 1e-9


def test_parts_have_the_sizes_asked_for_and_follow_the_clusters():
    assert sizes_of(100, 8) == [8] * 9 + [7] * 4
    weights = nx.to_numpy_array(nx.disjoint_union_all([nx.complete_graph(k) for k in (4, 5, 6)]))
    shuffle = np.random.default_rng(7).permutation(15)
    parts = balanced_parts(weights[np.ix_(shuffle, shuffle)], [4, 5, 6], np.random.default_rng(0))
    assert weight_between(weights[np.ix_(shuffle, shuffle)], parts) == 0
    drawn = random_parts([4, 5, 6], np.random.default_rng(0))
    assert sorted(node for part in drawn for node in part) == list(range(15))
    assert [len(part) for part in drawn] == [4, 5, 6]


@pytest.mark.parametrize("layers", [1, 2])
def test_qaoa_is_that_of_matrix_exponentials(layers):
    weights = random_graph(4, 2, np.random.default_rng(8)) * 1.3
    values = cut_values(weights, strings(4, 0, 16))
    angles = np.random.default_rng(9).uniform(-2, 2, (2, layers))
    flip, one = np.array([[0, 1], [1, 0]]), np.eye(2)
    mixer = np.zeros((16, 16))
    for node in range(4):
        term = np.ones((1, 1))
        for other in range(4):
            term = np.kron(term, flip if other == node else one)
        mixer += term
    psi = np.full(16, 0.25, complex)
    for g, b in angles.T:
        psi = expm(-1j * b * mixer) @ (np.exp(-1j * g * values) * psi)
    assert probabilities(values, angles) == pytest.approx(abs(psi) ** 2, abs=1e-12)


def test_one_layer_at_its_known_angles_cuts_0_6924_of_a_cubic_graph_without_triangles():
    weights = nx.to_numpy_array(nx.petersen_graph())
    values = cut_values(weights, strings(10, 0, 2**10))
    found = probabilities(values, np.array(FIXED_ANGLES)[:, None])
    assert found @ values / 15 == pytest.approx(0.5 + 1 / (3 * np.sqrt(3)), abs=1e-4)  # Farhi et al.


def test_noise_mixes_and_flips():
    values = cut_values(cycle(3), strings(3, 0, 8))
    angles = np.array([[0.4], [0.3]])
    clean = probabilities(values, angles)
    kept = 0.99**3 * 0.97**6
    assert probabilities(values, angles, Quality(one=0.01, two=0.03), edges=3) == pytest.approx(kept * clean + (1 - kept) / 8)
    assert probabilities(values, angles, Quality(readout=0.5)) == pytest.approx(np.full(8, 1 / 8))


@pytest.mark.parametrize("sampler", [uniform(600), qaoa(1, 100, 5), qaoa(1, 100, 5, optimised=False)], ids=["uniform", "qaoa", "fixed"])
def test_samplers_spend_the_same_shots_and_return_what_they_saw(sampler):
    taken = sampler(random_graph(5, 3, np.random.default_rng(1)), np.random.default_rng(0))
    assert taken.shots == 600
    assert set(taken.spins.tolist()) <= {-1, 1}


def test_merging_counts_every_edge_once():
    rng = np.random.default_rng(10)
    weights = random_graph(9, 4, rng)
    parts = [[0, 3, 5], [1, 2, 8], [4, 6, 7]]
    taken = [Taken(rng.choice((-1, 1), 3), 0) for _ in parts]
    above = merged(weights, parts, taken)
    spins = np.empty(9, int)
    for part, cut in zip(parts, taken, strict=True):
        spins[part] = cut.spins
    unturned = cut_values(weights, spins)
    for turns in strings(3, 0, 8):
        whole = spins.copy()
        for part, turn in zip(parts, turns, strict=True):
            whole[part] *= turn
        assert cut_values(weights, whole) == pytest.approx(unturned + cut_values(above, turns))


@pytest.mark.parametrize("parting", [balanced, at_random])
def test_a_distributed_cut_never_exceeds_the_optimum_and_uses_every_level(parting):
    weights = random_graph(15, 4, np.random.default_rng(11))
    taken = solve(weights, [4, 5, 6], [uniform(64)], parting, np.random.default_rng(0))
    assert 0.7 * largest_cut(weights)[0] < cut_values(weights, taken.spins) <= largest_cut(weights)[0]
    assert taken.shots == 4 * 64
    deep = solve(random_graph(40, 4, np.random.default_rng(12)), 4, [uniform(16)], parting, np.random.default_rng(0))
    assert deep.shots == 16 * (10 + 3 + 1)


def test_a_graph_that_fits_is_solved_at_once():
    weights = random_graph(6, 3, np.random.default_rng(13))
    taken = solve(weights, 6, [uniform(500)], balanced, np.random.default_rng(0))
    assert (cut_values(weights, taken.spins), taken.shots) == (largest_cut(weights)[0], 500)


def test_areas_are_the_connected_sets_of_qubits():
    graph = nx.Graph(processors.FALCON)
    assert len(graph) == 27
    expected = {frozenset(nodes) for nodes in combinations(graph, 3) if nx.is_connected(graph.subgraph(nodes))}
    assert set(processors.areas(3)) == expected


def test_the_printed_formula_prefers_large_errors():
    found = processors.device(np.random.default_rng(14))
    areas = {name: processors.chosen(found, 4, name, np.random.default_rng(0)) for name in ("best", "worst", "printed", "random")}
    scores = {name: processors.fidelity(found, area) for name, area in areas.items()}
    assert scores["best"] > scores["random"] > scores["worst"]
    assert scores["printed"] < scores["best"]
    best, worst = (processors.quality(found, areas[name]) for name in ("best", "worst"))
    assert best.two < worst.two


def test_the_least_energy_is_that_of_a_minimum_cost_flow():
    found = wireless.network(12, 4, 0.45, np.random.default_rng(15))
    graph = nx.DiGraph()
    scaled = np.where(np.isfinite(found.costs), np.round(found.costs * 1e6), np.inf)
    for i, j in zip(*np.nonzero(np.isfinite(scaled)), strict=True):
        graph.add_edge(int(i), int(j), weight=int(scaled[i, j]))
    for node in range(17):
        graph.add_node(node, demand=(-1 if node < 12 else 12 if node == 16 else 0))
    assert wireless.least_energy(found) == pytest.approx(nx.min_cost_flow_cost(graph) / 1e6, rel=1e-4)
    assert wireless.least_energy(found) <= min(wireless.greedy_energy(found), wireless.direct_energy(found))


@pytest.mark.parametrize(("sensors", "least"), [(1, 0), (2, 2), (3, 6)])
def test_a_relay_of_two_sensors_cannot_meet_the_printed_conservation(sensors, least):
    assert wireless.least_violation(*wireless.relay(sensors)) == least


def small_network(seed, sensors=3, heads=1, reach=1.0):
    return wireless.network(sensors, heads, reach, np.random.default_rng(seed))


@pytest.mark.parametrize(("conservation", "energy"), [(1.0, 0.0), (0.7, 3.0)])
def test_the_qubo_is_the_printed_sum_term_by_term(conservation, energy):
    found = small_network(20, sensors=2, heads=2)
    problem, base = qubo.qubo(found, conservation, energy, limit=0.2), 4
    assert all(start != base for start, _ in problem.arcs)
    rng = np.random.default_rng(21)
    for chosen in rng.integers(0, 2, (20, len(problem.arcs))):
        used = [arc for arc, bit in zip(problem.arcs, chosen, strict=True) if bit]
        total = sum(found.costs[arc] for arc in used)
        for node in range(5):
            wanted = 1 if node < 2 else -2 if node == base else 0
            flow = sum(start == node for start, _ in used) - sum(end == node for _, end in used)
            spent = sum(found.costs[arc] for arc in used if arc[0] == node)
            total += conservation * (flow - wanted) ** 2 + energy * (spent - 0.2) ** 2
        assert problem.value(chosen) == pytest.approx(total)


@pytest.mark.parametrize("energy", [0.0, qubo.ENERGY])
def test_enumeration_finds_the_minimum_and_annealing_does_too_if_it_may(energy):
    for seed in range(3):
        problem = qubo.qubo(small_network(seed, reach=0.6), energy=energy)
        every = np.array(list(product((0, 1), repeat=len(problem.arcs))))
        least = min(float(problem.value(chosen)) for chosen in every)
        assert problem.value(qubo.enumerated(problem)) == pytest.approx(least)
        found = [problem.value(qubo.annealed(problem, 300, np.random.default_rng(start), 2.0, 0.01)) for start in range(10)]
        assert min(found) == pytest.approx(least)
    with pytest.raises(ValueError, match="at most 16 can be enumerated"):
        qubo.enumerated(qubo.qubo(small_network(0, sensors=5)))


def test_what_conserves_flow_costs_no_less_than_the_flow_of_least_cost():
    for seed in range(10):
        found = small_network(seed)
        problem = qubo.qubo(found)
        chosen = qubo.enumerated(problem)
        assert problem.violation(chosen) == 0
        assert problem.costs @ chosen >= wireless.least_energy(found) - 1e-12


@pytest.mark.parametrize("seed", range(6))
def test_no_arcs_violate_conservation_less_than_the_bound_and_some_reach_it(seed):
    problem = qubo.qubo(small_network(seed, reach=0.55))
    every = np.array(list(product((0, 1), repeat=len(problem.arcs))))
    assert min(problem.violation(chosen) for chosen in every) >= qubo.violation_bound(problem)
    chain = qubo.Qubo([(0, 1), (1, 2), (2, 3)], np.zeros((3, 3)), 0, np.ones(3), np.zeros((4, 3)), np.array([1, 1, 0, -2]))
    assert qubo.violation_bound(chain) == wireless.least_violation(*wireless.relay(2)) == 2


def test_the_energy_penalty_is_no_limit_and_large_networks_cannot_be_met():
    small, large = qubo.measure_small(), qubo.measure_large()
    assert (small.qubo_violation == 0).all()
    assert (small.limited_excess_percent > small.qubo_excess_percent).mean() > 0.5
    assert (large.violation >= large.bound).all()
    assert (large.bound > 1000).all()
    assert set(large.nodes) == {109}


def test_own_networks_have_as_many_nodes_as_published_and_no_energy_below_the_least():
    found = wireless.measure()
    assert set(found.nodes) == {109}
    assert (found.least <= found.greedy).all()
    assert (found.least_change_percent < 0).all()


@pytest.mark.whole
def test_all_ways_to_cut_look_equally_often_and_none_beats_the_optimum():
    section = MaxcutSection(parts=[4, 5, 6], shots=16, evaluations=4)
    contest = Contest(section, random_graph(15, 4, np.random.default_rng(0)), lambda purpose: np.random.default_rng(len(purpose)))
    assert contest.looks == 4 * 5 * 16
    for name in ARMS:
        found = contest.cut(name)
        assert 0 < found.value <= contest.reference == largest_cut(contest.weights)[0]
        assert found.mean <= found.largest
    assert Contest(MaxcutSection(nodes=40), np.zeros((40, 40)), lambda _: np.random.default_rng(0)).cut("whole") is None


def test_runs_keep_the_contract():
    own = {"maxcut": {"nodes": 9, "capacity": 4, "shots": 8, "evaluations": 4}}
    settings = MaxcutRun.model_validate(
        {
            "method": "maxcut",
            "numerics_version": 1,
            "dataset": {"name": "none"},
            **own,
            "schedule": {},
        }
    )
    run = Run(study="study", experiment="maxcut", variant="base", seed=0, settings=settings)
    lines = list(check_run(run, nothing()))
    assert "killed after the first and taken up again it ends with the same bits" in lines
