DATASETS = {(run.experiment, run.variant): run.settings.dataset.name for run in RUNS}


rule train_run:
    input:
        settings=f"{FOLDER}/settings/{{experiment}}/{{variant}}.json",
        # Data prepared again is the same data: a change of its settings is a change of the run's settings too.
        data=lambda wildcards: ancient(data_file(STUDY, DATASETS[wildcards.experiment, wildcards.variant])),
    output:
        metrics=f"{FOLDER}/runs/{{experiment}}/{{variant}}/seed-{{seed}}/metrics.json",
        history=f"{FOLDER}/runs/{{experiment}}/{{variant}}/seed-{{seed}}/history.csv",
        weights=f"{FOLDER}/weights/{{experiment}}/{{variant}}/seed-{{seed}}.safetensors",
    log:
        f"{FOLDER}/logs/{{experiment}}/{{variant}}/seed-{{seed}}.log",
    threads: STUDY.execution.threads
    resources:
        mem_mb=1500,
        runtime=120,
    params:
        device=STUDY.execution.device,
        checkpoint_seconds=STUDY.execution.checkpoint_seconds,
    shell:
        "lightweights train {input.settings:q} --seed {wildcards.seed} --data {input.data:q} --threads {threads}"
        " --device {params.device} --checkpoint-seconds {params.checkpoint_seconds} > {log:q} 2>&1"


# One target an experiment: `snakemake --cores 2 quantum_train`.
for experiment in STUDY.experiments:

    rule:
        name:
            experiment
        input:
            [run_folder(run) / "metrics.json" for run in RUNS if run.experiment == experiment],
