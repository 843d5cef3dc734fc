rule train_run:
    input:
        settings=f"{FOLDER}/settings/{{experiment}}/{{variant}}.json",
        data=data_if_needed,
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
        data=data_of,
        device=STUDY.execution.device,
        checkpoint_seconds=STUDY.execution.checkpoint_seconds,
    shell:
        "lightweights train {input.settings:q} --seed {wildcards.seed} --data {params.data:q} --threads {threads}"
        " --device {params.device} --checkpoint-seconds {params.checkpoint_seconds} > {log:q} 2>&1"


# One target an experiment and one a part: `snakemake --cores 2 quantum_train`, `snakemake --cores 2 ablation`.
for target, trained in STUDY.targets().items():

    rule:
        name:
            target
        input:
            [metrics_file(run) for run in RUNS if run.experiment in trained],
