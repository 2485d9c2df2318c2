"""The package behind *Sequence Models from Counts to Transformers*.

Importing it costs nothing: each module is named for one concept and is imported where it is needed,
for example ``from course_lib import grammar, ngram``.
"""

from course_lib.setup_notebook import generator, setup

__all__ = ["generator", "setup"]
__version__ = "0.1.0"
