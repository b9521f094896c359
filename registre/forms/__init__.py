"""The registry's forms as they are known: what each is made of, and what has changed in one."""

from registre.forms.contract import FormButton, FormContract, FormField, SeenForm, contract_of
from registre.forms.difference import difference
from registre.forms.standing import FormStanding, accepted_of, standing_of

__all__ = [
    "FormButton",
    "FormContract",
    "FormField",
    "FormStanding",
    "SeenForm",
    "accepted_of",
    "contract_of",
    "difference",
    "standing_of",
]
