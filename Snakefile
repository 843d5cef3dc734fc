# The whole study of params.yaml, or of a preset laid over it:
#   snakemake --cores 2
#   snakemake --cores 2 --configfile workflow/presets/demo.yaml
# Tables, figures and scorecard from the runs that are there, without training:
#   snakemake --cores 2 summary --config partial=true
from snakemake.exceptions import WorkflowError
from snakemake.utils import min_version, validate

from lightweights.errors import LightweightsError
from lightweights.report.chapter import catalogue, chapters, shown
from lightweights.study.cost import job_group, job_memory_mb, job_minutes
from lightweights.study.layout import data_file, history_file, landed_file, metrics_file, study_folder, study_settings_file, weights_file
from lightweights.study.plan import is_done, landed_runs, open_study

min_version("9.20")


configfile: "params.yaml"


PARTIAL = str(config.pop("partial", False)).lower() in ("true", "1", "yes")
try:
    STUDY = open_study(config)
except LightweightsError as error:
    raise WorkflowError(str(error)) from None
validate(config, "workflow/schemas/params.schema.json", set_default=False)

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
