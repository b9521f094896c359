"""What is known of the site and what its predecessor got wrong, line by line, and the tests that prove the answer.

The table is for people; this test keeps it true: every test it names exists.
"""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]

LOGIN = {
    "user code, password and submit are found by the profile's marks": [
        "site/test_twin_http.py::test_a_login_leads_to_the_three_forms",
        "site/test_manners_layout.py::test_a_login_field_that_was_renamed_is_named_and_no_password_is_typed",
    ],
    "the entry page leads to the login": ["site/test_twin_http.py::test_the_entry_page_leads_to_the_login"],
    "an identity question is a state of its own, shown to the operator": [
        "unit/test_site_result.py::test_an_identity_question_is_not_a_login_page",
        "site/test_manners_accounts.py::test_a_login_that_is_not_let_in_is_the_accounts_error_and_is_tried_once",
    ],
    "a refused login is an account's error, never a job's, and is tried once": [
        "site/test_site_faults.py::test_a_refused_password_is_the_accounts_error_in_the_sites_words_and_is_typed_once",
        "actors/test_accounts.py::test_a_refused_password_is_tried_exactly_once_and_the_others_go_on",
    ],
    "an account locked after three refusals": [
        "site/test_twin_manners.py::test_an_account_is_locked_after_three_refusals_and_the_others_are_not",
        "site/test_manners_accounts.py::test_a_login_that_is_not_let_in_is_the_accounts_error_and_is_tried_once",
    ],
    "the proof of a login is the index form": [
        "site/test_manners_layout.py::test_an_index_form_that_is_gone_stops_the_index_and_no_other_source"
    ],
    "a notice after the login is passed by": [
        "site/test_manners_accounts.py::test_a_notice_after_the_login_is_passed_by"
    ],
}

FORMS = {
    "a circonscription reloads the form and brings its cadastres, which bring their désignations": [
        "site/test_twin_http.py::test_choosing_a_circonscription_reloads_the_page_with_its_cadastres_and_empties_the_number",
        "site/test_twin_http.py::test_choosing_a_cadastre_brings_its_designations",
        "site/test_site_orders.py::test_the_form_read_back_is_the_order",
    ],
    "the number is typed last, its spaces removed": ["site/test_site_orders.py::test_the_form_read_back_is_the_order"],
    "lots from a million on are of the Cadastre du Québec and need no place": [
        "unit/test_document.py::test_a_lot_from_a_million_on_identifies_itself",
        "unit/test_matching.py::test_the_cadastre_du_quebec_is_found_under_both_labels",
    ],
    "an old lot needs its désignation": ["site/test_twin_outcomes.py::test_an_old_lot_needs_its_designation"],
    "the acte form may reload or not": [
        "site/test_manners_layout.py::test_what_is_unknown_of_the_real_site_makes_no_difference",
        "site/test_site_orders.py::test_the_sites_unknown_manners_make_no_difference",
    ],
    "after a select the navigation is awaited, never a fixed time": [
        "unit/test_no_fixed_sleep.py::test_no_source_waits_for_a_fixed_time",
        "site/test_manners_before.py::test_a_slow_page_is_waited_for",
    ],
    "every job starts from a freshly opened form": [
        "site/test_site_orders.py::test_the_choices_of_one_job_do_not_leak_into_the_next",
        "site/test_twin_http.py::test_a_cadastre_of_another_circonscription_does_not_stay_chosen",
    ],
    "every select and input is read back before the submission": [
        "site/test_site_orders.py::test_the_form_read_back_is_the_order"
    ],
    "a number is never matched approximately": [
        "unit/test_document.py::test_a_number_is_normalised_and_never_guessed_at",
        "unit/test_matching.py::test_a_number_or_side_is_never_approximate",
        "unit/test_site_lists.py::test_a_part_of_a_longer_number_is_another_lot",
    ],
    "the options of the lists are read at the first login, and kept with their date": [
        "contract/test_forms.py::test_the_first_form_of_each_source_is_accepted_by_itself_and_told",
        "integration/test_cli_site.py::test_the_options_of_a_select_are_what_match_reads",
    ],
    "a form that changed stops its source before anything is chosen in it, and no other": [
        "site/test_form_drift.py::test_a_form_that_changed_freezes_its_source_until_a_person_accepts_it",
        "site/test_form_drift.py::test_an_option_an_order_needs_that_is_gone_puts_the_order_off_and_does_not_end_it",
        "contract/test_forms.py::test_any_other_form_is_kept_and_freezes_its_source_alone",
    ],
    "pages may be windows-1252, and 000001 may be called Québec": [
        "site/test_site_orders.py::test_the_sites_unknown_manners_make_no_difference"
    ],
}

ANSWERS = {
    "form_error: the cell's sentence, verbatim": [
        "unit/test_site_result.py::test_an_error_cell_with_text_makes_it_a_form_error_with_the_sites_own_words",
        "unit/test_site_result.py::test_a_boxed_message_is_a_form_error",
        "site/test_site_orders.py::test_an_order_the_site_refuses_ends_in_its_own_words_and_costs_nothing",
    ],
    "similar_list: the row whose number and type are the order's, else none": [
        "unit/test_site_lists.py::test_the_row_with_the_number_and_the_type_is_taken",
        "unit/test_site_lists.py::test_a_row_of_another_type_is_only_similar",
        "unit/test_site_lists.py::test_two_rows_that_both_fit_are_refused",
    ],
    "paper only: permanent": ["unit/test_site_lists.py::test_the_exact_row_on_paper_only_is_said_to_be_so"],
    "plan_list: the lot's own, the most recent by its date; a doubt is a refusal": [
        "site/test_site_orders.py::test_the_latest_plan_of_the_lot_is_taken",
        "unit/test_site_lists.py::test_a_doubt_about_the_plan_is_a_refusal",
        "unit/test_site_lists.py::test_the_most_recent_plan_of_the_lot_is_taken_and_another_lots_never",
    ],
    "an inactive lot: plans go on with a note, an index is refused": [
        "site/test_site_orders.py::test_an_inactive_lots_plan_is_taken_and_the_fact_is_noted",
        "site/test_site_orders.py::test_an_order_the_site_refuses_ends_in_its_own_words_and_costs_nothing",
    ],
    "confirmation: the last point before money": [
        "site/test_twin_outcomes.py::test_a_plan_is_confirmed_before_it_is_billed",
        "unit/test_site_result.py::test_a_confirmation_without_its_button_is_unknown",
        "unit/test_extraction.py::test_without_the_ledgers_word_nothing_is_clicked_and_nothing_written",
    ],
    "loading": [
        "unit/test_site_result.py::test_the_loading_page_is_told_by_its_words",
        "site/test_site_faults.py::test_a_document_that_loads_too_long_leaves_it_open",
    ],
    "login in the place of an answer: expired, signed in again in the same attempt": [
        "site/test_site_faults.py::test_an_expired_session_is_told_before_the_form_and_after_it",
        "unit/test_extraction.py::test_a_session_that_expired_at_the_click_voids_and_intends_anew",
        "actors/test_browser_faults.py::test_a_session_that_expires_after_the_submit_signs_in_once_more_and_buys_once",
    ],
    "maintenance and 5xx: nobody's attempt, a breaker for all": [
        "site/test_site_faults.py::test_maintenance_is_the_sites_failure_wherever_it_begins",
        "contract/test_breaker.py::test_failures_are_counted_and_the_third_in_a_row_closes_the_site",
        "actors/test_browser_faults.py::test_a_site_that_is_away_consumes_no_attempt_and_no_money",
    ],
    "anything else is unknown": ["unit/test_site_result.py::test_anything_else_is_unknown"],
    "the known sentences have their class": [
        "unit/test_site_result.py::test_a_known_sentence_has_its_class_and_stays_verbatim"
    ],
    "an unknown sentence is permanent and marked for review": [
        "unit/test_site_result.py::test_an_unknown_sentence_is_permanent_and_marked_for_review",
        "site/test_manners_submission.py::test_a_sentence_nobody_knows_ends_the_order_in_the_sites_words_for_review",
        "contract/test_forms.py::test_sentences_that_differ_by_numbers_are_one_as_it_was_first_said",
    ],
}

VIEWER = {
    "the viewer is its two frames": ["unit/test_site_result.py::test_the_viewer_is_its_two_frames"],
    "loading may take minutes": [
        "site/test_manners_submission.py::test_a_viewer_minutes_in_coming_is_waited_for",
        "site/test_manners_submission.py::test_a_viewer_longer_in_coming_than_allowed_leaves_it_open",
    ],
    "each form of the save link saves": [
        "site/test_twin_outcomes.py::test_each_save_link_saves",
        "site/test_site_orders.py::test_a_document_is_bought_once_and_saved",
    ],
    "the click starts a download": [
        "site/test_site_faults.py::test_a_download_that_never_starts_is_asked_for_again_from_the_same_viewer",
        "site/test_site_orders.py::test_a_document_may_be_saved_again_from_its_viewer",
    ],
    "a document shown inline saves too": ["site/test_twin_outcomes.py::test_a_pdf_can_be_shown_inline"],
    "what is saved is a whole PDF, and the one asked for": [
        "site/test_manners_saving.py::test_a_file_that_is_not_the_document_is_found_out_and_saved_again",
        "unit/test_inspection.py::test_what_is_not_a_whole_pdf_is_refused",
        "unit/test_inspection.py::test_another_document_is_not_the_answer",
    ],
}

WENT_WRONG = {
    "rows stuck in 'En traitement' after a crash": [
        "integration/test_ledger_recovery.py::test_a_worker_killed_while_buying_never_buys_twice",
        "contract/test_reclaim.py::test_a_dead_owner_that_had_bought_nothing_leaves_a_job_that_waits_again",
    ],
    "reset by start time while the job was alive": [
        "contract/test_stores.py::test_reclaim_leaves_living_owners_alone",
        "contract/test_money.py::test_a_row_reset_by_another_program_never_buys_beside_its_open_purchase",
    ],
    "a late finish of a former owner overwrote the new owner's result": [
        "contract/test_leasing.py::test_a_former_owner_cannot_touch_the_new_owners_job"
    ],
    "all workers on one account": [
        "actors/test_sharing.py::test_no_account_ever_has_two_jobs_at_once",
        "actors/test_sharing.py::test_two_hosts_never_share_an_account",
    ],
    "a definitive error undone by a generic handler": [
        "unit/test_fate.py::test_every_error_has_a_fate_that_keeps_the_money_rules"
    ],
    "a poison row at the head retried back to back": [
        "contract/test_leasing.py::test_a_job_that_breaks_every_browser_is_rescued_ten_times_and_ends",
        "unit/test_retry.py::test_each_attempt_doubles_the_wait_up_to_the_cap",
    ],
    "a retry of a row whose attempts were used up never ran": [
        "contract/test_operator.py::test_a_failed_job_put_back_has_fresh_attempts"
    ],
    "an idle session died and the next job failed": [
        "site/test_manners_accounts.py::test_a_session_idle_for_too_long_is_expired_and_a_fresh_one_works",
        "unit/test_extraction.py::test_a_session_that_expired_before_the_click_signs_in_again_in_the_same_attempt",
    ],
    "blank or leaked selections": [
        "unit/test_matching.py::test_a_blank_option_is_never_chosen",
        "site/test_site_orders.py::test_the_choices_of_one_job_do_not_leak_into_the_next",
    ],
    "the first radio bought blindly": ["unit/test_site_lists.py::test_a_row_of_another_type_is_only_similar"],
    "an error looked for after a fixed two seconds": [
        "unit/test_no_fixed_sleep.py::test_no_source_waits_for_a_fixed_time"
    ],
    "no check that the file is a PDF": ["unit/test_inspection.py::test_what_is_not_a_whole_pdf_is_refused"],
    "local files never removed": ["unit/test_spool.py::test_a_delivered_document_is_gone_and_may_be_said_so_again"],
    "the form of the path changed": [
        "unit/test_spool.py::test_the_object_key_is_the_purchases_whenever_it_is_kept",
        "unit/test_document.py::test_no_text_can_leave_the_bucket",
    ],
    "workers documented and real": ["unit/test_readme.py::test_every_setting_is_in_the_readme_and_no_other"],
    "dead workers shown alive": [
        "contract/test_stores.py::test_what_workers_say_of_themselves_is_replaced_and_ends_with_their_host"
    ],
    "hostile texts were obeyed by what showed them": [
        "integration/test_cli.py::test_hostile_texts_of_rows_are_shown_and_not_obeyed"
    ],
    "no authentication": [
        "api/test_access.py::test_without_a_key_every_other_endpoint_answers_401_and_every_page_leads_to_the_sign_in",
        "api/test_access.py::test_what_names_no_role_is_an_admins_alone",
    ],
    "secrets": [
        "contract/test_accounts.py::test_no_password_is_ever_shown",
        "unit/test_log.py::test_a_secret_is_masked_in_arguments_and_in_tracebacks",
    ],
}

PROMISES = [
    (promise, name)
    for part in (LOGIN, FORMS, ANSWERS, VIEWER, WENT_WRONG)
    for promise, names in part.items()
    for name in names
]


@cache
def names_in(path: Path) -> frozenset[str]:
    tree = ast.parse(path.read_text("utf-8"))
    return frozenset(node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


@pytest.mark.parametrize(("promise", "name"), PROMISES)
def test_every_promise_names_a_test_there_is(promise: str, name: str) -> None:
    file, _, test = name.partition("::")
    assert (TESTS / file).is_file(), f"{promise}: there is no {file}"
    assert test in names_in(TESTS / file), f"{promise}: there is no {test} in {file}"
