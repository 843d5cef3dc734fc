# Nodes of a cluster often cannot reach the mirrors, so the data is prepared where snakemake was started.
localrules:
    prepare_data,


rule prepare_data:
    input:
        f"{FOLDER}/settings/{{dataset}}.json",
    output:
        f"{FOLDER}/data/{{dataset}}.safetensors",
    log:
        f"{FOLDER}/logs/prepare/{{dataset}}.log",
    wildcard_constraints:
        dataset="[A-Za-z0-9_-]+",
    resources:
        mem_mb=lambda wildcards, attempt: 2000 * attempt,
        runtime=lambda wildcards, attempt: 15 * attempt,
    shell:
        "lightweights prepare {output:q} --settings {input:q} > {log:q} 2>&1"


rule prepare:
    input:
        sorted({data_file(STUDY, run.settings.dataset.name) for run in RUNS}),
