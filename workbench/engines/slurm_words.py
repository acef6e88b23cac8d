"""Slurm's states and reasons in plain words. The names are those of squeue's manual page."""

from __future__ import annotations

from workbench.engines.protocol import Stand

_WAITING = {"PENDING", "REQUEUED", "REQUEUE_HOLD", "REQUEUE_FED", "RESV_DEL_HOLD", "SPECIAL_EXIT"}
_RUNNING = {
    *("RUNNING", "CONFIGURING", "COMPLETING", "SUSPENDED", "STOPPED", "SIGNALING", "RESIZING", "STAGE_OUT"),
}

ENDINGS = {
    "COMPLETED": "its job ended, but the run did not say how it ended",
    "FAILED": "its job ended with an error",
    "TIMEOUT": "its job reached the time limit before a checkpoint was saved",
    "OUT_OF_MEMORY": "its job needed more memory than it asked for",
    "NODE_FAIL": "a node of its job failed",
    "BOOT_FAIL": "a node of its job could not be started",
    "CANCELLED": "its job was cancelled",
    "PREEMPTED": "its job had to make room for another one",
    "DEADLINE": "its job reached its deadline",
    "REVOKED": "its job was taken away by another cluster",
}
"""How a job ended, by Slurm's state."""

ADVICE = {
    "TIMEOUT": "Ask for more time, or for earlier checkpoints (checkpoint_every).",
    "OUT_OF_MEMORY": "Ask for more memory (--sbatch mem=64G), or lower batch_size.",
    "DEADLINE": "Ask for more time.",
}

REASONS = {
    "None": "Slurm has not looked at it yet",
    "Priority": "jobs with a higher priority come first",
    "Resources": "the partition's nodes are taken",
    "Dependency": "another job must end first",
    "BeginTime": "its start time has not come",
    "JobHeldUser": "it is held until `scontrol release` lets it go",
    "JobHeldAdmin": "an administrator holds it",
    "JobArrayTaskLimit": "as many of the sweep's runs as allowed are running",
    "Licenses": "a licence is taken",
    "Reservation": "its reservation has not begun",
    "ReqNodeNotAvail": "a node that it needs is down or reserved",
    "Reserved for maintenance": "its nodes are reserved for maintenance",
    "NodeDown": "a node that it needs is down",
    "BadConstraints": "no node meets what it asks for",
    "PartitionDown": "the partition is closed",
    "PartitionInactive": "the partition is inactive",
    "PartitionNodeLimit": "it asks for more nodes than the partition has",
    "PartitionTimeLimit": "it asks for more time than the partition allows",
    "InvalidAccount": "the account is not valid",
    "InvalidQOS": "the QOS is not valid",
    "QOSNotAllowed": "the QOS is not allowed in this partition",
    "JobLaunchFailure": "it could not be started: a node or the file system may be at fault",
    "launch failed requeued held": "it could not be started and is held until `scontrol release` lets it go",
    "RaisedSignal:53(Real-time_signal_19)": "the log's folder cannot be written on the node",
    "DependencyNeverSatisfied": "the job that it depends on did not end well: it can never start",
    "FrontEndDown": "the front end is down",
    "SystemFailure": "Slurm, the file system or the network failed",
    "NonZeroExitCode": "it ended with an error",
    "TimeLimit": "it reached its time limit",
    "OutOfMemory": "it ran out of memory",
}
"""Why a job waits, by Slurm's reason. No semicolon is in it: one stands before what else is known."""

_LIMITS = (
    ("MaxJobsPerUser", "you may not run more jobs at once"),
    ("MaxJobsPerAccount", "the account may not run more jobs at once"),
    ("MaxSubmitJobs", "no more jobs may be submitted"),
    ("MaxGRESPerUser", "you may not use more GPUs at once"),
    ("MaxTRESPerUser", "you may not use more CPUs, memory or GPUs at once"),
    ("MaxCpuPerUser", "you may not use more CPUs at once"),
    ("MaxMemoryPerUser", "you may not use more memory at once"),
    ("MaxNodePerUser", "you may not use more nodes at once"),
    ("GrpGRES", "all GPUs that the group may use are taken"),
    ("GrpCpu", "all CPUs that the group may use are taken"),
    ("GrpMem", "all memory that the group may use is taken"),
    ("GrpNode", "all nodes that the group may use are taken"),
    ("GrpJobs", "the group may not run more jobs at once"),
    ("GrpSubmitJobs", "the group may not submit more jobs"),
    ("GrpWall", "the group has used up its time"),
    ("GrpTRES", "all that the group may use is taken"),
    ("Grp", "a limit of the group is reached"),
    ("MaxWallDuration", "it asks for more time than it may have"),
    ("MaxTRES", "it asks for more than one job may have"),
    ("MaxGRES", "it asks for more GPUs than one job may have"),
    ("MaxCpu", "it asks for more CPUs than one job may have"),
    ("MaxMem", "it asks for more memory than one job may have"),
    ("MaxNode", "it asks for more nodes than one job may have"),
    ("Min", "it asks for less than one job must"),
)
"""Limits of an account or QOS: what the reason holds after Assoc or QOS, the longer before the shorter."""


def stand_of(state: str) -> Stand:
    """Whether a job of this state waits, runs or has ended."""
    word = state.split()[0] if state else ""  # sacct says CANCELLED by 1000
    return Stand.WAITING if word in _WAITING else Stand.RUNNING if word in _RUNNING else Stand.ENDED


def reason_in_words(reason: str) -> str:
    """Why a job waits, with Slurm's own word in brackets; "" for none."""
    reason = reason.strip("() ")
    if reason in ("", "N/A"):
        return ""
    if reason == "None":
        return REASONS["None"]
    return f"{_words(reason)} ({reason})" if _words(reason) else reason


def _words(reason: str) -> str:
    sentence = REASONS.get(reason) or REASONS.get(reason.split(",")[0])
    if sentence:
        return sentence
    if reason.startswith("Nodes required for job are"):
        return "its nodes are down, drained or reserved for other jobs"
    for kind in ("Assoc", "QOS"):
        if reason.startswith(kind):
            limit = reason.removeprefix(kind)
            return next((words for part, words in _LIMITS if limit.startswith(part)), "")
    return ""


def ending_in_words(state: str) -> str:
    """How a job ended, with Slurm's own word in brackets."""
    word = state.split()[0] if state else ""
    return f"{ENDINGS.get(word, 'its job ended')} ({state})"


def advice_for(state: str) -> str:
    """What to do after such an ending; "" for nothing special."""
    return ADVICE.get(state.split()[0] if state else "", "")
