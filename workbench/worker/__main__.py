"""python -m workbench.worker --db URL --run ID; one of several processes where RANK or srun says so"""

from __future__ import annotations

import sys

from workbench.worker.stop_flag import StopFlag

if __name__ == "__main__":
    # Before the slow imports: a signal that arrives during them must not kill the worker.
    stop = StopFlag()
    stop.listen_to_signals()

    from workbench.worker.rank import own_rank

    if own_rank() > 0:
        from workbench.worker.follower import follow

        sys.exit(follow(stop))

    from workbench.worker.entry import main

    sys.exit(main(sys.argv[1:], stop))
