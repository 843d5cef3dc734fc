ASKED = {run.key: run for run in RUNS}


def run_of(wildcards):
    return ASKED[f"{wildcards.experiment}/{wildcards.variant}/seed-{wildcards.seed}"]


def data_of(wildcards):
    return data_file(STUDY, run_of(wildcards).settings.dataset.name)


def data_if_needed(wildcards):
    """Data for a run that is still to do. One that is done needs none, so that preparing data again retrains nothing."""
    return [] if is_done(run_of(wildcards)) else data_of(wildcards)
