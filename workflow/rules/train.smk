rule train_run:
    input:
        settings=f"{FOLDER}/settings/{{experiment}}/{{variant}}.json",
        data=data_if_needed,
        teacher=teacher_if_needed,
    output:
        metrics=f"{FOLDER}/runs/{{experiment}}/{{variant}}/seed-{{seed}}/metrics.json",
        history=f"{FOLDER}/runs/{{experiment}}/{{variant}}/seed-{{seed}}/history.csv",
        weights=f"{FOLDER}/weights/{{experiment}}/{{variant}}/seed-{{seed}}.safetensors",
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


# One target a chapter and one an experiment: `snakemake --cores 2 noise`, `snakemake --cores 2 noise_map`.
for target, trained in STUDY.targets().items():

    rule:
        name:
            target
        input:
            [metrics_file(run) for run in RUNS if run.experiment in trained],
