# From runs to paper. These rules are cheap and read only the settings of the study, runs.csv and histories.
STUDY_FILE = study_settings_file(STUDY.study.name).as_posix()
SEEN = landed_runs(STUDY) if PARTIAL else RUNS
EXPERIMENTS = {run.experiment for run in SEEN}
CHAPTERS = [chapter for chapter in chapters() if EXPERIMENTS & chapter.experiments]
MEASURED = {name: needs for chapter in chapters() for name, needs in chapter.data.items()}
# What chapters say themselves, besides runs: a change of it draws all anew.
TOLD = ("claims.csv", "contradictions.csv", "published.yaml")
SAID = [path for chapter in chapters() for name in TOLD if (path := chapter.folder / name).is_file()]
# Kinds of what is drawn: the endings of its files, the first of which stands for all.
KINDS = {"tables": (".html", ".csv", ".md", ".tex"), "figures": (".svg", ".pdf", ".png")}


def drawn(kind):
    return [f"{FOLDER}/{kind}/{name}{KINDS[kind][0]}" for name in shown(catalogue(kind), EXPERIMENTS)]


def reads(kind):
    """Files besides runs.csv that a table or figure is made from."""
    return lambda wildcards: [f"{FOLDER}/{name}" for name in catalogue(kind)[wildcards.name].reads]


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


for kind, endings in KINDS.items():

    rule:
        name:
            f"draw_{kind}"
        input:
            study=STUDY_FILE,
            runs=f"{FOLDER}/runs.csv",
            said=SAID,
            reads=reads(kind),
        output:
            f"{FOLDER}/{kind}/{{name}}{endings[0]}",
            multiext(f"{FOLDER}/{kind}/{{name}}", *endings[1:]),
        log:
            f"{FOLDER}/logs/{kind}/{{name}}.log",
        wildcard_constraints:
            name="|".join(catalogue(kind)) or "none",
        group:
            "summary"
        resources:
            mem_mb=lambda wildcards, attempt: 1000 * attempt,
            runtime=lambda wildcards, attempt: 2 * attempt,
        params:
            kind=kind,
        shell:
            "lightweights draw {input.study:q} {params.kind}/{wildcards.name} > {log:q} 2>&1"


rule score_claims:
    input:
        study=STUDY_FILE,
        runs=f"{FOLDER}/runs.csv",
        said=SAID,
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
        "lightweights draw {input.study:q} scorecard > {log:q} 2>&1"


rule write_pages:
    input:
        study=STUDY_FILE,
        runs=f"{FOLDER}/runs.csv",
        said=SAID,
        templates=[path for chapter in CHAPTERS for path in sorted(chapter.folder.glob("*.j2"))],
    output:
        f"{FOLDER}/RESULTS.md",
        expand(f"{FOLDER}/{{chapter}}.md", chapter=[chapter.name for chapter in CHAPTERS]),
    log:
        f"{FOLDER}/logs/pages.log",
    group:
        "summary"
    resources:
        mem_mb=lambda wildcards, attempt: 1000 * attempt,
        runtime=lambda wildcards, attempt: 2 * attempt,
    params:
        names=["RESULTS", *(chapter.name for chapter in CHAPTERS)],
    shell:
        "lightweights draw {input.study:q} {params.names} > {log:q} 2>&1"


# Not part of the summary: `snakemake --cores 1 results/paper/report.html`.
rule write_report:
    input:
        study=STUDY_FILE,
        runs=f"{FOLDER}/runs.csv",
        tables=drawn("tables"),
        figures=drawn("figures"),
        scorecard=f"{FOLDER}/scorecard.html",
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
        drawn("tables"),
        drawn("figures"),
        f"{FOLDER}/scorecard.html",
        f"{FOLDER}/RESULTS.md",
