# The whole study of params.yaml, or of a preset laid over it:
#   snakemake --cores 2
#   snakemake --cores 2 --configfile workflow/presets/demo.yaml
# Tables, figures and scorecard from the runs that are there, without training:
#   snakemake --cores 2 summary --config partial=true
import sys
from pathlib import Path

from snakemake.exceptions import WorkflowError
from snakemake.logging import logger
from snakemake.utils import min_version

from lightweights.errors import LightweightsError
from lightweights.report.chapter import chapters
from lightweights.report.experiments import chapters_for, items_of
from lightweights.report.said import said_by, said_for
from lightweights.settings.reading import check_words
from lightweights.study.console import Console, quieten
from lightweights.study.cost import Costs, job_group, job_memory_mb, job_minutes
from lightweights.study.layout import (
    data_file,
    history_file,
    landed_file,
    metrics_file,
    settings_file,
    study_folder,
    study_settings_file,
    weights_file,
)
from lightweights.study.plan import is_done, landed_runs, open_workflow, possible
from lightweights.study.together import groups
from lightweights.study.unchanged import NAME, date_outputs, note

min_version("9.20")


# Settings have one reader, the package's own: Snakemake's would lose keys that stand twice, and run templates in params.yaml.
DRY = workflow.output_settings.dryrun
try:
    check_words(sys.argv)
    STUDY, PARTIAL = open_workflow(workflow.config_settings.configfiles, workflow.config_settings.config, DRY)
    chapters()  # of which one may be the user's own, and wrong
except LightweightsError as error:
    raise WorkflowError(str(error)) from None

RUNS, LACKING = possible(STUDY.runs())
for reason, count in LACKING.items():
    logger.info(f"{count} runs are left out: {reason}")
FOLDER = study_folder(STUDY.study.name).as_posix()
IN_STEP = Path(FOLDER) / NAME


wildcard_constraints:
    experiment="[a-z0-9_-]+",
    variant="[A-Za-z0-9._=+,-]+",
    seed=r"\d+",


# A terminal shows one line of progress; `snakemake --verbose` shows all jobs, and Snakemake's log has them.
CONSOLE = Console(
    lambda: {metrics_file(run).as_posix(): COSTS.of(run).seconds for COSTS in [Costs(RUNS)] for run in RUNS},
    workflow.resource_settings.cores or 1,
    Path(FOLDER) / "RESULTS.md",
)
# Jobs that a cluster starts have logs of their own, and say all.
MAIN = workflow.exec_mode.name == "DEFAULT"
if MAIN and not (DRY or workflow.output_settings.verbose or workflow.output_settings.printshellcmds):
    quieten(logger.handlers)


onstart:
    if MAIN:
        CONSOLE.start(str(file) for job in workflow.dag.needrun_jobs() for file in job.output)


onsuccess:
    if MAIN:
        CONSOLE.stop(well=True)
    if MAIN and not workflow.touch:
        note(IN_STEP, [(job.output, job.input) for job in workflow.dag.jobs if job.rule.name in SUMMED])


onerror:
    if MAIN:
        CONSOLE.stop(well=False)


include: "workflow/rules/target_jobs.smk"
include: "workflow/rules/common.smk"
include: "workflow/rules/prepare.smk"
include: "workflow/rules/train.smk"
include: "workflow/rules/summary.smk"


rule all:
    default_target: True
    input:
        [metrics_file(run) for run in SEEN],
        rules.summary.input,
