"""Choose the option of a select that a requested name means, or refuse and say why.

Invariant: a wrong choice buys a stranger's document, so every doubt is a refusal. A choice is the only option left by
the first rule that leaves any; what leaves two is ambiguous and goes no further.
"""

from registre.matching.choosing import match
from registre.matching.model import Candidate, Field, Match, Option

__all__ = ["Candidate", "Field", "Match", "Option", "match"]
