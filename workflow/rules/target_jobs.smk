# Jobs on a cluster name their runs by --target-jobs, which Snakemake splits at all commas, those within a variant too
# (https://github.com/snakemake/snakemake/issues/2366). Here the pieces of a variant are put together again.
from snakemake.dag import DAG


def whole(wildcards):
    """Wildcards of a run whose variant was split: what follows its first piece stands there as wildcards that no rule has."""
    own = {name: wildcards[name] for name in ("experiment", "variant", "seed")}
    pieces = [f"{name}={value}" for name, value in wildcards.items() if name not in own]
    return own | {"variant": ",".join([own["variant"], *pieces])}


def mended(new_job):
    async def new_whole_job(self, rule, *args, wildcards_dict=None, **named):
        if wildcards_dict and "variant" in wildcards_dict:
            wildcards_dict = whole(wildcards_dict)
        return await new_job(self, rule, *args, wildcards_dict=wildcards_dict, **named)

    return new_whole_job


DAG.new_job = mended(DAG.new_job)
