# From runs to paper. These rules are cheap and read only the settings of the study, runs.csv and histories.
STUDY_FILE = study_settings_file(STUDY.study.name).as_posix()
SEEN = landed_runs(STUDY) if PARTIAL else RUNS
EXPERIMENTS = {run.experiment for run in SEEN}
CHAPTERS = [chapter for chapter in chapters_for(STUDY) if EXPERIMENTS & chapter.experiments]
MEASURED = {name: needs for chapter in chapters() for name, needs in chapter.data.items()}
# Kinds of what is drawn: the endings of its files.
KINDS = {"tables": ("html", "csv", "md", "tex", "json"), "figures": ("svg", "pdf", "png", "json")}


COLLECTED = {
    "study": STUDY_FILE,
    "metrics": [metrics_file(run) for run in SEEN],
    "histories": [history_file(run) for run in SEEN],  # for the figures; here once, as in each of them it slows Snakemake down
    "landed": [landed_file(STUDY)] if PARTIAL else [],
}


rule collect:
    input:
        **COLLECTED,
    output:
        in_step([f"{FOLDER}/runs.csv", f"{FOLDER}/means.json"], COLLECTED),
    log:
        f"{FOLDER}/logs/collect.log",
    resources:
        mem_mb=lambda wildcards, attempt: 1000 * attempt,
        runtime=lambda wildcards, attempt: 10 * attempt,
    params:
        partial="--partial" if PARTIAL or LACKING else "",
    shell:
        "lightweights collect {input.study:q} {params.partial} > {log:q} 2>&1"


for name in MEASURED:
    in_step([f"{FOLDER}/{name}"], {"study": STUDY_FILE})


rule measure:
    input:
        STUDY_FILE,
    output:
        update(f"{FOLDER}/{{data}}"),
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
# (profiles keep what a failed job has written), and is what the next run makes anew. Where short runs share processes, one draws all.
SCORES = [f"{FOLDER}/RESULTS.md", *(f"{FOLDER}/scorecard.{ending}" for ending in ("csv", "md", "html"))]
SCORING = ("score_claims", "draw_all")
SAID = [path for chapter in chapters() for path in said_by(chapter)]
PARTS = {f"draw_{chapter.name}": [chapter] for chapter in CHAPTERS} | {"score_claims": CHAPTERS}
if STUDY.execution.together_seconds:
    PARTS = {"draw_all": CHAPTERS}
for part, members in PARTS.items():
    DRAWN = [] if part == "score_claims" else members
    GIVEN = {
        "study": STUDY_FILE,
        "runs": f"{FOLDER}/runs.csv",
        "said": SAID if part in SCORING else [path for chapter in members for path in said_for(chapter)],
        "reads": sorted({path for chapter in DRAWN for path in reads(chapter)}),
        "templates": [path for chapter in members for path in sorted(chapter.folder.glob("*.j2"))],
    }
    MADE = [path for chapter in DRAWN for path in drawn(chapter)] + (SCORES if part in SCORING else [])

    rule:
        name:
            part
        input:
            **GIVEN,
        output:
            in_step(MADE, GIVEN),
        log:
            f"{FOLDER}/logs/{part}.log",
        group:
            "summary"
        resources:
            mem_mb=lambda wildcards, attempt: 1500 * attempt,
            runtime=lambda wildcards, attempt: 10 * attempt,
        params:
            names=[name for chapter in DRAWN for name in [*names_of(chapter), chapter.name]],
            scores="scorecard RESULTS" if part in SCORING else "",
        shell:
            "lightweights draw {input.study:q} {params.names} {params.scores} > {log:q} 2>&1"


# Not part of the summary: `snakemake --cores 1 results/paper/report.html`.
rule write_report:
    input:
        study=STUDY_FILE,
        runs=f"{FOLDER}/runs.csv",
        drawn=[drawn(chapter) for chapter in CHAPTERS],
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


# Jobs whose inputs are noted when all went well (study/unchanged.py).
SUMMED = {"collect", "measure", "score_claims", *(f"draw_{chapter.name}" for chapter in CHAPTERS)}


rule summary:
    input:
        f"{FOLDER}/runs.csv",
        [drawn(chapter) for chapter in CHAPTERS],
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
