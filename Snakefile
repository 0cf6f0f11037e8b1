# cytocause: from raw time-lapse microscopy to a causal graph. The workflow itself is in workflow/.
include: "workflow/Snakefile"


workflow.default_target = "all"  # an included file never sets the default target
