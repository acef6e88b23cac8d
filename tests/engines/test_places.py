"""Places: read strictly from the configuration, and changed by what one command asks for."""

from __future__ import annotations

import pytest

from workbench.engines.configuration import config_file, place, places
from workbench.engines.place import Place, here
from workbench.errors import UsageError
from workbench.status import PlaceEngine

A100 = """
[places.a100]
engine = "slurm"
partition = "gpu-a100"
account = "nlp"
qos = "long"
time = "12:00:00"
nodes = 2
gpus = 4
setup = ["module load cuda/12.4", "source ~/env/bin/activate"]
environment = { NCCL_DEBUG = "WARN" }
sbatch = ["constraint=a100&nvlink", "exclusive"]
"""


def configured(text: str) -> None:
    config_file().parent.mkdir(parents=True, exist_ok=True)
    config_file().write_text(text, encoding="utf-8")


def test_here_and_slurm_need_no_configuration() -> None:
    assert list(places()) == ["here", "slurm"]
    assert place("slurm").options == {}


def test_a_place_has_what_its_table_says_and_nothing_else() -> None:
    configured(A100)
    found = place("a100")
    assert (found.nodes, found.gpus) == (2, 4)
    assert dict(found.options) == {
        "partition": "gpu-a100",
        "account": "nlp",
        "qos": "long",
        "time": "12:00:00",
        "constraint": "a100&nvlink",
        "exclusive": "",
    }
    assert found.setup == ("module load cuda/12.4", "source ~/env/bin/activate")
    assert Place.from_json(found.to_json()) == found


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ("[places.a100]\npartition = 'x'", "engine is missing"),
        ("[places.a100]\nengine = 'pbs'", "engine is 'pbs'"),
        ("[places.a100]\nengine = 'slurm'\ngpu = 4", "unknown field 'gpu'"),
        ("[places.a100]\nengine = 'slurm'\ngpus = '4'", "gpus must be a whole number"),
        ("[places.a100]\nengine = 'slurm'\nnodes = 0", "nodes must be a whole number of at least 1"),
        ("[places.a100]\nengine = 'slurm'\nnodes = true", "nodes must be a whole number"),
        ("[places.a100]\nengine = 'slurm'\ntime = 60", "time must be text in quotes"),
        ("[places.a100]\nengine = 'slurm'\nsetup = [1]", "setup must be text, or a list"),
        ("[places.a100]\nengine = 'slurm'\nenvironment = { 'A B' = 'c' }", "'A B' cannot be a variable"),
        ("[places.a100]\nengine = 'slurm'\nsbatch = ['output=x']", "output: mlm-workbench sets this itself"),
        ("[places.a100]\nengine = 'slurm'\nsbatch = ['-p x']", "not a long option"),
        ("[places.a100]\nengine = 'slurm'\nqos = \"a\\nb\"", "line break"),
        ("[places.here]\nengine = 'slurm'", "cannot have this name"),
        ("[place.a100]\nengine = 'slurm'", "unknown entry 'place'"),
        ("[places.a100]\nengine = \n", "line 2"),
    ],
)
def test_what_is_wrong_is_told_with_file_and_field(wrong: str, told: str) -> None:
    configured(wrong)
    with pytest.raises(UsageError) as caught:
        places()
    assert told in caught.value.message and str(config_file()) in caught.value.message


def test_an_unknown_place_lists_the_known_ones() -> None:
    configured(A100)
    with pytest.raises(UsageError) as caught:
        place("h100")
    assert "here, slurm, a100" in caught.value.hint


def test_a_command_asks_for_more() -> None:
    configured(A100)
    more = place("a100").with_more(nodes=1, options=["qos=short", "--mem=64G"])
    assert (more.nodes, more.gpus, more.options["qos"], more.options["mem"]) == (1, 4, "short", "64G")
    with pytest.raises(UsageError, match="need a cluster"):
        here().with_more(gpus=2)
    assert more.engine == PlaceEngine.SLURM
