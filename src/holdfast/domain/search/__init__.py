"""What a shop sells, found as people look for it.

An index of its own beside the catalogue, written in the transaction that writes a
product: the very next search finds it. Typing errors, other forms of a word, synonyms
and beginnings find what was meant; facets say how the matches can be told apart, and
what each further choice would leave. Prices and availability are those of the moment.
"""

from holdfast.domain.search.errors import (
    FilterInvalid,
    SynonymsChanged,
    SynonymsInvalid,
    SynonymsNotFound,
)
from holdfast.domain.search.filters import (
    SORTS,
    Among,
    Filters,
    Prices,
    Sort,
    read_chosen,
    read_measures,
    written,
)
from holdfast.domain.search.rules import (
    AttributeCondition,
    CategoryCondition,
    RangeCondition,
    Rule,
    by_hand,
    by_rule,
    read_rule,
)
from holdfast.domain.search.statement import KEPT_STATEMENTS
from holdfast.domain.search.store import (
    Asked,
    Facets,
    FacetValue,
    Finder,
    Found,
    Suggestion,
    can_tell_alike,
    count_words,
    index,
    lock_next,
)
from holdfast.domain.search.synonyms import (
    MAX_TERMS,
    NewSynonyms,
    Synonyms,
    add_synonyms,
    change_synonyms,
    find_synonyms,
    lock_synonyms,
    remove_synonyms,
    synonyms,
)

__all__ = [
    "KEPT_STATEMENTS",
    "MAX_TERMS",
    "SORTS",
    "Among",
    "Asked",
    "AttributeCondition",
    "CategoryCondition",
    "FacetValue",
    "Facets",
    "FilterInvalid",
    "Filters",
    "Finder",
    "Found",
    "NewSynonyms",
    "Prices",
    "RangeCondition",
    "Rule",
    "Sort",
    "Suggestion",
    "Synonyms",
    "SynonymsChanged",
    "SynonymsInvalid",
    "SynonymsNotFound",
    "add_synonyms",
    "by_hand",
    "by_rule",
    "can_tell_alike",
    "change_synonyms",
    "count_words",
    "find_synonyms",
    "index",
    "lock_next",
    "lock_synonyms",
    "read_chosen",
    "read_measures",
    "read_rule",
    "remove_synonyms",
    "synonyms",
    "written",
]
