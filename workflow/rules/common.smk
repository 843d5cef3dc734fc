ASKED = {run.key: run for run in RUNS}
TEACHERS = STUDY.teachers(RUNS)
# Teachers that have landed without their models, which git does not hold: those that a student is still to learn from are trained again. A partial
# summary trains none.
AGAIN = {t.key for run in ([] if PARTIAL else RUNS) if (t := TEACHERS.get(run.key)) and not is_done(run) and not weights_file(t).is_file()}


def run_of(wildcards):
    return ASKED[f"{wildcards.experiment}/{wildcards.variant}/seed-{wildcards.seed}"]


def data_of(wildcards):
    return data_file(STUDY, run_of(wildcards).settings.dataset.name)


def data_if_needed(wildcards):
    """Data for a run that is still to do. One that is done needs none, so that preparing data again retrains nothing."""
    run = run_of(wildcards)
    return [] if is_done(run) and run.key not in AGAIN else data_of(wildcards)


def teacher_of(wildcards):
    """The model of a student's teacher; nothing for any other run."""
    teacher = TEACHERS.get(run_of(wildcards).key)
    return [] if teacher is None else weights_file(teacher)


def teacher_if_needed(wildcards):
    """The teacher of a student that is still to do. One that is done needs none, so that its teacher's model need not be there."""
    return [] if is_done(run_of(wildcards)) else teacher_of(wildcards)


def alternatives(experiments):
    """A pattern that fits one of these experiments."""
    return "|".join(sorted(experiments)) or "none"


def names_of(chapter):
    """What is drawn of a chapter, as `lightweights draw` calls it."""
    return [f"{kind}/{name}" for kind in KINDS for name in items_of(chapter, kind, STUDY, EXPERIMENTS)]


def drawn(chapter):
    """The files of it, the page first."""
    files = [f"{FOLDER}/{name}.{ending}" for name in names_of(chapter) for ending in KINDS[name.partition("/")[0]]]
    return [f"{FOLDER}/{chapter.name}.md", *files]


def in_step(outputs, inputs):
    """Outputs of a job of the summary. Dated after its inputs where these have the contents that it was made from, as time stamps of a fresh
    clone mean nothing; marked `update`, as Snakemake would remove them before the job: git holds them, and each is replaced once the new
    one is whole.
    """
    files = [file for part in inputs.values() for file in ([part] if isinstance(part, str) else part)]
    return [update(file) for file in date_outputs(IN_STEP, outputs, files)]


def reads(chapter):
    """Files besides runs.csv that it is made from."""
    items = [getattr(chapter, kind)[name] for kind, _, name in (item.partition("/") for item in names_of(chapter))]
    return [f"{FOLDER}/{file}" for file in dict.fromkeys(file for item in items for file in item.reads)]
