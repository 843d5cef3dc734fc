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


# Short runs share processes (execution.together_seconds), and so do runs of one shape that are trained step by step together
# (execution.batch). A job of a cluster reads these rules anew, when other runs are done than when it was planned: so a group is the same
# at any time, and what is trained of it are those that are left, if any. A process that fails keeps what it has finished (the profiles'
# keep-incomplete).
BATCH = STUDY.execution.batch
HELD = sum if BATCH > 1 else max  # memory of runs that are trained at once, or one after the other
for number, together in enumerate(groups(STUDY.runs(), BATCH, STUDY.execution.together_seconds), 1):
    left = [run for run in together if run.key in ASKED and not is_done(run)]

    rule:
        name:
            f"train_together_{number}"
        input:
            [settings_file(run) for run in left],
            sorted({data_file(STUDY, run.settings.dataset.name) for run in left}),
            sorted({weights_file(TEACHERS[run.key]) for run in left if run.key in TEACHERS}),
        output:
            [file(run) for run in left for file in (metrics_file, history_file)],
        log:
            f"{FOLDER}/logs/together/{number}.log",
        threads: STUDY.execution.threads
        resources:
            mem_mb=lambda wildcards, attempt, runs=together: HELD(job_memory_mb(run.settings, attempt) for run in runs),
            runtime=lambda wildcards, attempt, runs=together: sum(job_minutes(run.settings, attempt) for run in runs),
        params:
            study=STUDY.study.name,
            runs=[run.key for run in left],
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
