"""Where each page is. The attested paths are the real site's; those below them are made up in its manner.

Invariant: only frames of the viewer hold `Docmn` in their path, only downloads `impri_sauvg`.
"""

from __future__ import annotations

from registre.document import Source

ROOT = "/Sirf"
ENTRY = f"{ROOT}/"
LOGIN = f"{ROOT}/Script/14_06_01-02/pf_14_06_01_reglr.asp"
FORMS = {
    Source.INDEX: f"{ROOT}/Script/13_01_11/pf_13_01_11_02_indx_immbl.asp",
    Source.ACTE: f"{ROOT}/Script/13_01_11/pf_13_01_11_08_reqst.asp",
    Source.PLAN: f"{ROOT}/Script/13_01_11/pf_13_01_11_10_plan_cadst.asp",
}
PLAN_LIST = f"{ROOT}/Script/13_01_08/pf_13_01_08_selct_plan_cadst.asp"
CONFIRMATION = f"{ROOT}/Script/13_01_13/pf_13_01_13_confr_demnd.asp"

NOTICE = f"{ROOT}/Script/14_06_01-02/pf_14_06_03_avis.asp"
MENU = f"{ROOT}/Script/13_01_11/pf_13_01_11_01_menu.asp"
SIGN_OUT = f"{ROOT}/Script/14_06_01-02/pf_14_06_02_quitr.asp"
SIMILAR_LIST = f"{ROOT}/Script/13_01_11/pf_13_01_11_09_reqst_simlr.asp"
LOADING = f"{ROOT}/Script/13_01_14/pf_13_01_14_atent.asp"
VIEWER = f"{ROOT}/Script/13_01_15/pf_13_01_15_visls.asp"
VIEWER_MENU = f"{ROOT}/Script/13_01_15/pf_13_01_15_barre_outil.asp"
VIEWER_PAGE = f"{ROOT}/Script/13_01_15/pf_13_01_15_Docmn.asp"
SAVE = f"{ROOT}/Script/13_01_15/pf_13_01_15_impri_sauvg.asp"
SAVE_PLAIN = f"{ROOT}/Script/13_01_15/pf_13_01_15_telch.asp"
IMAGES = f"{ROOT}/Images"


def of_demand(path: str, demand_id: str) -> str:
    return f"{path}?demnd={demand_id}"
