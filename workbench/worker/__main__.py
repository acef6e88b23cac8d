"""python -m workbench.worker --db URL --run ID"""

from __future__ import annotations

import sys

from workbench.worker.stop_flag import StopFlag

if __name__ == "__main__":
    # Before all that takes time to import: a signal that comes meanwhile must not simply kill the worker.
    stop = StopFlag()
    stop.listen_to_signals()

    from workbench.worker.entry import main

    sys.exit(main(sys.argv[1:], stop))
