rule train_run:
    input:
        settings=f"{FOLDER}/settings/{{experiment}}/{{variant}}.json",
        data=data_if_needed,
        teacher=teacher_if_needed,
    output:
        metrics=f"{FOLDER}/runs/{{experiment}}/{{variant}}/seed-{{seed}}/metrics.json",
        history=f"{FOLDER}/runs/{{experiment}}/{{variant}}/seed-{{seed}}/history.csv",
    log:
        f"{FOLDER}/logs/{{experiment}}/{{variant}}/seed-{{seed}}.log",
    group:
        lambda wildcards: job_group(run_of(wildcards).settings)
    threads: STUDY.execution.threads
    resources:
        mem_mb=lambda wildcards, attempt: job_memory_mb(run_of(wildcards).settings, attempt),
        runtime=lambda wildcards, attempt: job_minutes(run_of(wildcards).settings, attempt),
        cpus_per_task=STUDY.execution.threads,
        run_slot=1,  # a profile that allows one of them has the runs of a group trained one after the other
    params:
        data=data_of,
        teacher=lambda wildcards: f"--teacher {path}" if (path := teacher_of(wildcards)) else "",
        device=STUDY.execution.device,
        checkpoint_seconds=STUDY.execution.checkpoint_seconds,
        gpus=f"--gpus {','.join(map(str, STUDY.execution.gpus))}" if STUDY.execution.gpus else "",
    shell:
        "lightweights train {input.settings:q} --seed {wildcards.seed} --data {params.data:q} --threads {threads}"
        " --device {params.device} --checkpoint-seconds {params.checkpoint_seconds}"
        " {params.teacher} {params.gpus} > {log:q} 2>&1"


# What a student learns from is declared, too. All other models lie where their size says, beside metrics.json or in the tree of weights.
use rule train_run as train_teacher with:
    output:
        metrics=f"{FOLDER}/runs/{{experiment}}/{{variant}}/seed-{{seed}}/metrics.json",
        history=f"{FOLDER}/runs/{{experiment}}/{{variant}}/seed-{{seed}}/history.csv",
        model=f"{FOLDER}/weights/{{experiment}}/{{variant}}/seed-{{seed}}.safetensors",
    wildcard_constraints:
        experiment=alternatives({teacher.experiment for teacher in TEACHERS.values()}),


ruleorder: train_teacher > train_run


# Short runs of this machine share processes (execution.together_seconds). A process that fails keeps what it has finished (the profile's
# keep-incomplete), so that only the runs that are left share one the next time.
# So do runs of one shape that are trained step by step together (execution.batch).
BATCH, TOGETHER_SECONDS = STUDY.execution.batch, STUDY.execution.together_seconds
LEFT = [run for run in RUNS if not is_done(run)] if BATCH > 1 or TOGETHER_SECONDS else []
BATCHES = batches(LEFT, BATCH)
BATCHED = {run.key for batch in BATCHES for run in batch}
SHARED = shared((run for run in LEFT if run.key not in BATCHED), TOGETHER_SECONDS) if TOGETHER_SECONDS else []
for number, together in enumerate([*BATCHES, *SHARED], 1):

    rule:
        name:
            f"train_together_{number}"
        input:
            [settings_file(run) for run in together],
            sorted({data_file(STUDY, run.settings.dataset.name) for run in together}),
            sorted({weights_file(TEACHERS[run.key]) for run in together if run.key in TEACHERS}),
        output:
            [file(run) for run in together for file in (metrics_file, history_file)],
        log:
            f"{FOLDER}/logs/together/{number}.log",
        threads: STUDY.execution.threads
        resources:
            mem_mb=(sum if BATCH > 1 else max)(job_memory_mb(run.settings) for run in together),
        params:
            study=STUDY.study.name,
            runs=[run.key for run in together],
            device=STUDY.execution.device,
            checkpoint_seconds=STUDY.execution.checkpoint_seconds,
            gpus=f"--gpus {','.join(map(str, STUDY.execution.gpus))}" if STUDY.execution.gpus else "",
            batch=BATCH,
        shell:
            "lightweights train-together {params.study} {params.runs:q} --threads {threads} --device {params.device}"
            " --checkpoint-seconds {params.checkpoint_seconds} --batch {params.batch} {params.gpus} > {log:q} 2>&1"

    workflow.ruleorder(f"train_together_{number}", "train_run")


# One target a chapter and one an experiment: `snakemake --cores 2 noise`, `snakemake --cores 2 noise_map`.
for target, trained in STUDY.targets().items():

    rule:
        name:
            target
        input:
            [metrics_file(run) for run in RUNS if run.experiment in trained],
