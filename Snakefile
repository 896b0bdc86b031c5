# medscale: large-scale medical image processing, from slides and scans to tables and metrics.
# Each study is one file in rules/; each rule runs the script of its name in workflow_scripts/,
# and each script calls the function of its name in medscale/.

from snakemake.utils import min_version

min_version("9.0")


configfile: f"{workflow.basedir}/config.yaml"


include: "rules/common.smk"
include: "rules/demo_data.smk"
include: "rules/pathology.smk"
include: "rules/sparse_ct.smk"
include: "rules/kits19.smk"
include: "rules/scans.smk"


rule all:
    default_target: True
    input:
        rules.pathology.input,
        rules.sparse_ct.input,
        rules.kits19.input,
        rules.compare_variants.output,
        rules.scans.input,
