"""The sequence chapter's kind of run: what is refused, and what is told of a training."""

import pytest
import torch

from chapters.distributed_qlstm import data, method
from chapters.distributed_qlstm.settings import ForecasterSection, ForecastRun
from chapters.distributed_qlstm.training import measures
from chapters.distributed_qlstm.windows import cut
from lightweights.quantum_train import QuantumTrain
from lightweights.settings.base import SettingsError
from lightweights.settings.runs import Run
from lightweights.study.contract import check_run
from lightweights.study.execute import begin, finish

SERIES = "chapters.distributed_qlstm.data:oscillator"


def settings(epochs=2, protocol="fair", dataset=SERIES, **forecaster):
    return ForecastRun(
        method="forecast",
        numerics_version=1,
        dataset={"name": dataset},
        forecaster=forecaster,
        windows={"protocol": protocol},
        schedule={"epochs": epochs},
    )


def trained(run):
    training, rows, steps = begin(run, data.oscillator(), 0, torch.device("cpu"))
    assert len(list(rows)) == steps
    return training, finish(training, run, data.oscillator(), 0)


@pytest.mark.parametrize(
    ("forecaster", "numbers"),
    [({"shape": "2x2"}, 149), ({"cell": "lstm"}, 166), ({"cell": "photons", "shape": "2x2"}, 149), ({"shape": "1x3", "frozen": True}, 4)],
)
def test_what_is_told_is_that_of_the_forecaster_that_is_kept(forecaster, numbers):
    training, result = trained(settings(**forecaster))
    parts = cut(data.values_of(data.oscillator()), "fair")
    assert result.parameters["trained_used"] == numbers >= result.parameters["trained_effective"]
    assert result.final["test_r2"] == measures(training.module.kept, parts)["test_r2"]
    foretold = torch.tensor(result.details["forecast"]["test"], dtype=torch.float64)
    assert torch.allclose(foretold, training.module.kept(parts.test.inputs), atol=1e-6)
    assert {name.partition(".")[0] for name in result.weights} == {"network"}


def test_a_generated_lstm_lands_with_what_generates_it():
    training, result = trained(settings(cell="generated-lstm", hidden=4))
    assert isinstance(training.module.kept, QuantumTrain) and "generator.phases.0" in result.weights
    assert result.parameters["target"] == 117 and result.parameters["trained_used"] < result.parameters["trained_published"]


def test_a_linear_forecast_has_five_numbers_and_one_epoch():
    _, result = trained(settings(epochs=1, cell="linear"))
    assert result.parameters["trained_used"] == 5 and result.final["test_r2"] > 0.999
    with pytest.raises(ValueError, match=r"set schedule\.epochs to 1"):
        settings(epochs=2, cell="linear")


@pytest.mark.whole
@pytest.mark.parametrize("forecaster", [{"shape": "2x2"}, {"cell": "photons", "shape": "1x2"}, {"cell": "generated-lstm", "hidden": 4}])
@pytest.mark.parametrize("protocol", ["fair", "published"])
def test_the_kind_of_run_keeps_the_contract(forecaster, protocol):
    run = Run(study="sequences", experiment="own", variant="base", seed=3, settings=settings(3, protocol, **forecaster))
    assert "killed after the first and taken up again it ends with the same bits" in list(check_run(run, data.oscillator()))


def test_settings_that_do_nothing_are_refused():
    with pytest.raises(ValueError, match=r"shape = '2x3' does nothing in a forecaster of lstm"):
        ForecasterSection(cell="lstm", shape="2x3")
    with pytest.raises(ValueError, match="distinguishable = True does nothing"):
        ForecasterSection(distinguishable=True)


def test_forecasters_that_cannot_be_are_refused_before_any_job():
    with pytest.raises(SettingsError, match=r"here: forecaster: .*photons 2 to 5"):
        method.check(settings(cell="photons", shape="1x9"), "here")
    with pytest.raises(SettingsError, match="is no series, which a forecaster needs"):
        method.check(settings(dataset="digits"), "here")
