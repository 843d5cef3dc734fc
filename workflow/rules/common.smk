ASKED = {run.key: run for run in RUNS}


def data_of(wildcards):
    """Data for a run that is still to do. One that is done needs none, so that preparing data again retrains nothing."""
    run = ASKED[f"{wildcards.experiment}/{wildcards.variant}/seed-{wildcards.seed}"]
    return [] if is_done(run) else data_file(STUDY, run.settings.dataset.name)
