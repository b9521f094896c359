"""The registry's forms as they are known: what each is made of, and what has changed in one."""

from registre.forms.contract import FormButton, FormContract, FormField, SeenForm, contract_of
from registre.forms.difference import difference

__all__ = ["FormButton", "FormContract", "FormField", "SeenForm", "contract_of", "difference"]
