# The whole study of params.yaml, or of a preset laid over it:
#   snakemake --cores 2
#   snakemake --cores 2 --configfile workflow/presets/demo.yaml
# Tables, figures and scorecard from the runs that are there, without training:
#   snakemake --cores 2 summary --config partial=true
from snakemake.exceptions import WorkflowError
from snakemake.utils import min_version

from lightweights.errors import LightweightsError
from lightweights.report.chapter import chapters, shown
from lightweights.study.cost import job_group, job_memory_mb, job_minutes
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
from lightweights.study.plan import is_done, landed_runs, open_workflow
from lightweights.study.together import batches, shared

min_version("9.20")


# Settings have one reader, the package's own: Snakemake's would lose keys that stand twice, and run templates in params.yaml.
try:
    STUDY, PARTIAL = open_workflow(workflow.config_settings.configfiles, workflow.config_settings.config)
except LightweightsError as error:
    raise WorkflowError(str(error)) from None

RUNS = STUDY.runs()
FOLDER = study_folder(STUDY.study.name).as_posix()


wildcard_constraints:
    experiment="[a-z0-9_-]+",
    variant="[A-Za-z0-9._=+,-]+",
    seed=r"\d+",


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
