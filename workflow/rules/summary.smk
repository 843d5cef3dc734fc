# From runs to paper. These rules are cheap and read only the settings of the study, runs.csv and histories.
STUDY_FILE = study_settings_file(STUDY.study.name).as_posix()
SEEN = landed_runs(STUDY) if PARTIAL else RUNS
EXPERIMENTS = {run.experiment for run in SEEN}


rule collect:
    input:
        study=STUDY_FILE,
        metrics=[metrics_file(run) for run in SEEN],
        histories=[history_file(run) for run in SEEN],  # for the figures; here once, as in each of them it slows Snakemake down
        landed=[landed_file(STUDY)] if PARTIAL else [],
    output:
        runs=f"{FOLDER}/runs.csv",
        means=f"{FOLDER}/means.json",
    log:
        f"{FOLDER}/logs/collect.log",
    resources:
        mem_mb=lambda wildcards, attempt: 1000 * attempt,
        runtime=lambda wildcards, attempt: 10 * attempt,
    params:
        partial="--partial" if PARTIAL else "",
    shell:
        "lightweights collect {input.study:q} {params.partial} > {log:q} 2>&1"


rule measure_laws:
    input:
        STUDY_FILE,
    output:
        f"{FOLDER}/laws.csv",
    log:
        f"{FOLDER}/logs/laws.log",
    resources:
        mem_mb=lambda wildcards, attempt: 1500 * attempt,
        runtime=lambda wildcards, attempt: 15 * attempt,
    shell:
        "lightweights laws {input:q} > {log:q} 2>&1"


rule draw_table:
    input:
        study=STUDY_FILE,
        runs=f"{FOLDER}/runs.csv",
        claims="workflow/reference/claims.csv",
        laws=lambda wildcards: laws_for(wildcards.table),
    output:
        f"{FOLDER}/tables/{{table}}.html",
        multiext(f"{FOLDER}/tables/{{table}}", ".csv", ".md", ".tex"),
    log:
        f"{FOLDER}/logs/tables/{{table}}.log",
    wildcard_constraints:
        table="|".join(TABLES),
    group:
        "summary"
    resources:
        mem_mb=lambda wildcards, attempt: 1000 * attempt,
        runtime=lambda wildcards, attempt: 2 * attempt,
    shell:
        "lightweights table {wildcards.table} {input.study:q} > {log:q} 2>&1"


rule draw_figure:
    input:
        study=STUDY_FILE,
        runs=f"{FOLDER}/runs.csv",
        claims="workflow/reference/claims.csv",
        laws=lambda wildcards: laws_for(wildcards.figure),
    output:
        f"{FOLDER}/figures/{{figure}}.svg",
        multiext(f"{FOLDER}/figures/{{figure}}", ".pdf", ".png"),
    log:
        f"{FOLDER}/logs/figures/{{figure}}.log",
    wildcard_constraints:
        figure="|".join(FIGURES),
    group:
        "summary"
    resources:
        mem_mb=lambda wildcards, attempt: 1000 * attempt,
        runtime=lambda wildcards, attempt: 2 * attempt,
    shell:
        "lightweights figure {wildcards.figure} {input.study:q} > {log:q} 2>&1"


rule score_claims:
    input:
        study=STUDY_FILE,
        runs=f"{FOLDER}/runs.csv",
        claims="workflow/reference/claims.csv",
        inconsistencies="workflow/reference/inconsistencies.csv",
    output:
        f"{FOLDER}/scorecard.html",
        multiext(f"{FOLDER}/scorecard", ".csv", ".md"),
    log:
        f"{FOLDER}/logs/scorecard.log",
    group:
        "summary"
    resources:
        mem_mb=lambda wildcards, attempt: 1000 * attempt,
        runtime=lambda wildcards, attempt: 2 * attempt,
    shell:
        "lightweights scorecard {input.study:q} > {log:q} 2>&1"


rule write_findings:
    input:
        study=STUDY_FILE,
        runs=f"{FOLDER}/runs.csv",
    output:
        f"{FOLDER}/findings.html",
        f"{FOLDER}/findings.md",
    log:
        f"{FOLDER}/logs/findings.log",
    group:
        "summary"
    resources:
        mem_mb=lambda wildcards, attempt: 1000 * attempt,
        runtime=lambda wildcards, attempt: 2 * attempt,
    shell:
        "lightweights findings {input.study:q} > {log:q} 2>&1"


rule write_results:
    input:
        study=STUDY_FILE,
        runs=f"{FOLDER}/runs.csv",
        claims="workflow/reference/claims.csv",
        inconsistencies="workflow/reference/inconsistencies.csv",
    output:
        f"{FOLDER}/RESULTS.md",
    log:
        f"{FOLDER}/logs/results.log",
    group:
        "summary"
    resources:
        mem_mb=lambda wildcards, attempt: 1000 * attempt,
        runtime=lambda wildcards, attempt: 2 * attempt,
    shell:
        "lightweights results {input.study:q} > {log:q} 2>&1"


# Not part of the summary: `snakemake --cores 1 results/paper/report.html`.
rule write_report:
    input:
        study=STUDY_FILE,
        runs=f"{FOLDER}/runs.csv",
        tables=expand(f"{FOLDER}/tables/{{table}}.md", table=shown(TABLES, EXPERIMENTS)),
        figures=expand(f"{FOLDER}/figures/{{figure}}.svg", figure=shown(FIGURES, EXPERIMENTS)),
        scorecard=f"{FOLDER}/scorecard.md",
        results=f"{FOLDER}/RESULTS.md",
        findings=[f"{FOLDER}/findings.md"] if "ablation" in EXPERIMENTS else [],
    output:
        f"{FOLDER}/report.html",
    log:
        f"{FOLDER}/logs/report.log",
    resources:
        mem_mb=lambda wildcards, attempt: 1000 * attempt,
        runtime=lambda wildcards, attempt: 10 * attempt,
    shell:
        "lightweights report {input.study:q} > {log:q} 2>&1"


rule summary:
    input:
        f"{FOLDER}/runs.csv",
        expand(f"{FOLDER}/tables/{{table}}.html", table=shown(TABLES, EXPERIMENTS)),
        expand(f"{FOLDER}/figures/{{figure}}.svg", figure=shown(FIGURES, EXPERIMENTS)),
        f"{FOLDER}/scorecard.html",
        f"{FOLDER}/RESULTS.md",
        [f"{FOLDER}/findings.html"] if "ablation" in EXPERIMENTS else [],
