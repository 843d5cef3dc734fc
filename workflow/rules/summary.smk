# From runs to paper. These rules are cheap and read only the settings of the study, runs.csv and histories.
STUDY_FILE = study_settings_file(STUDY.study.name).as_posix()
SEEN = landed_runs(STUDY) if PARTIAL else RUNS
EXPERIMENTS = {run.experiment for run in SEEN}
CHAPTERS = [chapter for chapter in chapters() if EXPERIMENTS & chapter.experiments]
MEASURED = {name: needs for chapter in chapters() for name, needs in chapter.data.items()}
# What chapters say themselves, besides runs: a change of it draws all anew.
TOLD = ("claims.csv", "contradictions.csv", "corrections.csv", "independent.csv", "published.yaml")
SAID = [path for chapter in chapters() for name in TOLD if (path := chapter.folder / name).is_file()]
# Kinds of what is drawn: the endings of its files.
KINDS = {"tables": ("html", "csv", "md", "tex", "json"), "figures": ("svg", "pdf", "png", "json")}


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
        partial="--partial" if PARTIAL or LACKING else "",
    shell:
        "lightweights collect {input.study:q} {params.partial} > {log:q} 2>&1"


rule measure:
    input:
        STUDY_FILE,
    output:
        f"{FOLDER}/{{data}}",
    log:
        f"{FOLDER}/logs/{{data}}.log",
    wildcard_constraints:
        data="|".join(MEASURED) or "none",
    resources:
        mem_mb=lambda wildcards, attempt: 1500 * attempt,
        runtime=lambda wildcards, attempt: 15 * attempt,
    shell:
        "lightweights draw {input:q} {wildcards.data} > {log:q} 2>&1"


# A chapter is drawn by one process: starting one takes longer than drawing a figure. One that fails is named and leaves the others
# (profiles keep what a failed job has written), and is what the next run makes anew.
for chapter in CHAPTERS:

    rule:
        name:
            f"draw_{chapter.name}"
        input:
            study=STUDY_FILE,
            runs=f"{FOLDER}/runs.csv",
            said=SAID,
            reads=reads(chapter),
            templates=sorted(chapter.folder.glob("*.j2")),
        output:
            drawn(chapter),
            f"{FOLDER}/{chapter.name}.md",
        log:
            f"{FOLDER}/logs/{chapter.name}.log",
        group:
            "summary"
        resources:
            mem_mb=lambda wildcards, attempt: 1500 * attempt,
            runtime=lambda wildcards, attempt: 10 * attempt,
        params:
            names=[*names_of(chapter), chapter.name],
        shell:
            "lightweights draw {input.study:q} {params.names} > {log:q} 2>&1"


rule score_claims:
    input:
        study=STUDY_FILE,
        runs=f"{FOLDER}/runs.csv",
        said=SAID,
        templates=[path for chapter in CHAPTERS for path in sorted(chapter.folder.glob("*.j2"))],
    output:
        f"{FOLDER}/RESULTS.md",
        multiext(f"{FOLDER}/scorecard", ".csv", ".md", ".html"),
    log:
        f"{FOLDER}/logs/scorecard.log",
    group:
        "summary"
    resources:
        mem_mb=lambda wildcards, attempt: 1000 * attempt,
        runtime=lambda wildcards, attempt: 5 * attempt,
    shell:
        "lightweights draw {input.study:q} scorecard RESULTS > {log:q} 2>&1"


# Not part of the summary: `snakemake --cores 1 results/paper/report.html`.
rule write_report:
    input:
        study=STUDY_FILE,
        runs=f"{FOLDER}/runs.csv",
        drawn=[[*drawn(chapter), f"{FOLDER}/{chapter.name}.md"] for chapter in CHAPTERS],
        scorecard=f"{FOLDER}/scorecard.md",
        results=f"{FOLDER}/RESULTS.md",
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
        [[*drawn(chapter), f"{FOLDER}/{chapter.name}.md"] for chapter in CHAPTERS],
        f"{FOLDER}/scorecard.html",
        f"{FOLDER}/RESULTS.md",


# Landed models to the test sets again, against metrics.json. Always asked anew: what it reads may have been changed by anyone.
rule evaluate:
    log:
        f"{FOLDER}/logs/evaluate.log",
    resources:
        mem_mb=lambda wildcards, attempt: 2000 * attempt,
        runtime=lambda wildcards, attempt: 30 * attempt,
    params:
        study=STUDY.study.name,
    shell:
        "lightweights evaluate all --study {params.study} 2>&1 | tee {log:q}"
