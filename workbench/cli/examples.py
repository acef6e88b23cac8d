"""The end of every verb's help: examples, and the exit codes where a script would ask for them."""

from __future__ import annotations

_EXAMPLES: dict[str, tuple[str, ...]] = {
    "train": (
        "mlm-workbench train                          # the starter, no network",
        "mlm-workbench train --preset xsum --epochs 1 --name first",
        "mlm-workbench train --dataset 'reports/*.txt' --model run:first",
        "mlm-workbench train --config recipe.toml --set max_steps=100",
        "mlm-workbench train --report-to tensorboard  # tensorboard --logdir runs",
        "ID=$(mlm-workbench train --detach)           # runs in the background",
        "mlm-workbench train --processes 2            # on two GPUs of this machine",
        "mlm-workbench train --on slurm --gpus 4      # a job of a cluster",
    ),
    "runs": (
        "mlm-workbench runs",
        "mlm-workbench runs --json | jq '.[0].eval_perplexity'",
        "mlm-workbench runs --export runs.parquet",
    ),
    "show": (
        "mlm-workbench show latest",
        "mlm-workbench show 3 --json",
        "mlm-workbench show 3 --export metrics.csv    # one row per value",
    ),
    "stop": (
        "mlm-workbench stop latest",
        "mlm-workbench stop 3 --wait 0                # do not wait",
    ),
    "cancel": ("mlm-workbench cancel 3",),
    "requeue": ("mlm-workbench requeue 3",),
    "work": (
        "ID=$(mlm-workbench train --on work)           # only queued",
        "mlm-workbench work $ID --db postgresql://host/runs",
        "torchrun --standalone --nproc-per-node 4 -m workbench work 3",
    ),
    "fetch": (
        "mlm-workbench fetch --preset xsum",
        "mlm-workbench fetch --config recipe.toml",
    ),
    "backup": ("mlm-workbench backup ~/runs-2026-11.db",),
    "restore": ("mlm-workbench restore experiments.db.daily-2026-11-25.bak",),
    "resume": ("mlm-workbench resume 3", "mlm-workbench resume latest --detach"),
    "delete": ("mlm-workbench delete 3", "mlm-workbench delete 3 --yes             # in a script"),
    "sweep": (
        "mlm-workbench sweep --chunk-size 64,128,256 --mask-prob 0.15,0.3 --seeds 3",
        "mlm-workbench sweep --lr 1e-5..1e-3 --mask-prob 0.1..0.4 --search 30",
        "mlm-workbench sweep --set schedule=linear,cosine --epochs 1 --detach",
        "mlm-workbench sweep --on slurm --chunk-size 64,128    # a job array",
        "mlm-workbench sweep show latest --plot",
        "mlm-workbench sweep extend latest --mask-prob 0.5 --seeds 5",
        "mlm-workbench sweep move 12 --first",
    ),
    "sweep show": ("mlm-workbench sweep show latest --plot",),
    "sweep extend": (
        "mlm-workbench sweep extend latest --chunk-size 512",
        "mlm-workbench sweep extend latest --seeds 5   # five seeds in all",
    ),
    "sweep move": ("mlm-workbench sweep move 12 13 --first",),
    "sweep export": ("mlm-workbench sweep export latest sweep.svg",),
    "compare": (
        "mlm-workbench compare 3 4",
        "mlm-workbench compare 3 4 5 --best --json",
        "mlm-workbench compare 3 4 5 6 --plot",
    ),
    "changed": ("mlm-workbench changed 3 4", "mlm-workbench changed 3 4 --json"),
    "cloze": ("mlm-workbench cloze facts.txt 3 4", "mlm-workbench cloze facts.txt latest --last"),
    "yardstick": ("mlm-workbench yardstick 3",),
    "fill": (
        'mlm-workbench fill "The [MASK] of the list is returned."',
        "mlm-workbench fill --run 3 --checkpoint best --top-k 10 'A [MASK].'",
        "mlm-workbench fill --model starter           # a prompt",
        "mlm-workbench fill --run latest --json - < sentences.txt",
    ),
    "export": (
        "mlm-workbench export latest models/mine",
        "mlm-workbench export 3 models/mine --checkpoint best --force",
    ),
    "import": (
        "mlm-workbench import trainer-output",
        "mlm-workbench import trainer-output --model bert-base-uncased \\\n"
        "      --dataset 'reports/*.txt' --set chunk_size=128 --set mask_prob=0.15",
        "mlm-workbench import trainer-output/runs/Nov23_10-00-00_gpu  # TensorBoard",
    ),
    "push": (
        "hf auth login",
        "mlm-workbench push latest my-name/my-model --private",
    ),
    "web": (
        "mlm-workbench web                            # prints the address to open",
        "mlm-workbench web --port 8123",
    ),
    "doctor": ("mlm-workbench doctor",),
    "completion": (
        "mlm-workbench --install-completion           # for the shell you are in",
        'eval "$(mlm-workbench completion bash)"      # in ~/.bashrc',
        'eval "$(mlm-workbench completion zsh)"       # in ~/.zshrc, after compinit',
        "mlm-workbench completion fish > \\",
        "    ~/.config/fish/completions/mlm-workbench.fish",
    ),
    "inspect": ("mlm-workbench inspect notes.jsonl", "mlm-workbench inspect 'reports/*.txt' --json"),
}
_EXIT_CODES = {
    "train": (
        "0 finished, 1 failed or crashed, 2 bad usage, 130 stopped by Ctrl-C.",
        "With --detach: 0 once it is started.",
    ),
    "resume": ("0 finished, 1 failed or crashed, 2 bad usage, 130 stopped by Ctrl-C.",),
    "sweep": (
        "0 all finished, 1 some did not, 2 bad usage, 130 detached by Ctrl-C.",
        "With --detach: 0 once it is queued.",
    ),
    "export": ("0 written, 1 not written, 2 bad usage or a folder in use.",),
    "import": ("0 imported, 1 its log is damaged, 2 bad usage or nothing there.",),
    "push": ("0 uploaded, 1 the hub refused or is unreachable, 2 bad usage.",),
    "doctor": ("0 all is well, 1 something is missing.",),
}


def epilog(verb: str) -> str | None:
    """The text below a verb's options; None for a verb without examples."""
    if verb not in _EXAMPLES:
        return None
    # \b: do not rewrap these lines
    paragraphs = ["\b\nExamples:\n" + "\n".join(f"  {line}" for line in _EXAMPLES[verb])]
    if verb in _EXIT_CODES:
        paragraphs.append("\b\nExit codes:\n" + "\n".join(f"  {line}" for line in _EXIT_CODES[verb]))
    return "\n\n".join(paragraphs)
