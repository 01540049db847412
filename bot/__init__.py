"""Everything that touches the outside.

One message makes products too small to share out: several threads of numpy's would take turns on every core and gain nothing. It reads this when
it is first imported, which is why it stands here.
"""

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
