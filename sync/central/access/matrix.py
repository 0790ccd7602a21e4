"""Actions × roles: the whole of who may do what at the hub, in one table. What is not here is not allowed.

Whose lockers, cases and items: an actor's areas say it (`scope`). Nobody has a role in which they could
both do a thing and wipe its trace: the journal has no action that changes it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from sync.central.access.actor import Actor, Role, Scope


class Action(StrEnum):
    """Every action of the hub, whether asked of the API or of the console."""

    # one's own
    OWN_ACCOUNT = "own_account"
    SEE_ACCESS = "see_access"
    # cases
    SEE_CASES = "see_cases"
    SEE_CASE = "see_case"
    EXPORT_EVIDENCE = "export_evidence"
    SEE_AUTHORISATION = "see_authorisation"
    AUTHORISE = "authorise"
    CHANGE_AUTHORISATION = "change_authorisation"
    BOOK_SLOT = "book_slot"
    IMPORT_CASES = "import_cases"
    ENTRUST = "entrust"
    CHECK_CASE = "check_case"
    DECIDE_CASE = "decide_case"
    REISSUE_CODE = "reissue_code"
    # outgoing items
    SEE_ITEMS = "see_items"
    SEE_ITEM = "see_item"
    ANNOUNCE_ITEM = "announce_item"
    PRINT_LABEL = "print_label"
    CHANGE_ITEM = "change_item"
    # custody beyond the locker
    SEE_CUSTODY = "see_custody"
    HAND_OVER = "hand_over"
    STOCKTAKE = "stocktake"
    RESOLVE_LOCKER = "resolve_locker"
    SEE_PLACES = "see_places"
    MANAGE_PLACES = "manage_places"
    # tickets and ratings
    SEE_TICKETS = "see_tickets"
    OPEN_TICKET = "open_ticket"
    WORK_TICKET = "work_ticket"
    CLOSE_TICKET_UNSATISFIED = "close_ticket_unsatisfied"
    PUBLISH_SOLUTION = "publish_solution"
    RATE_VISIT = "rate_visit"
    SEE_RATINGS = "see_ratings"
    # the fleet
    SEE_LOCKERS = "see_lockers"
    SEE_LOCKER = "see_locker"
    SEE_LEDGER = "see_ledger"
    ACKNOWLEDGE_ALARM = "acknowledge_alarm"
    DIRECT_LOCKER = "direct_locker"
    CONFIGURE_LOCKER = "configure_locker"
    SEE_CALENDAR = "see_calendar"
    MANAGE_CALENDAR = "manage_calendar"
    SEE_SETTINGS = "see_settings"
    CHANGE_SETTINGS = "change_settings"
    SEE_CERTIFICATES = "see_certificates"
    MANAGE_CERTIFICATES = "manage_certificates"
    ASK_REMOTE_OPEN = "ask_remote_open"
    APPROVE_REMOTE_OPEN = "approve_remote_open"
    # helpers and technicians at the lockers
    SEE_STAFF = "see_staff"
    ENROL_STAFF = "enrol_staff"
    REVOKE_STAFF = "revoke_staff"
    # figures and messages
    SEE_FIGURES = "see_figures"
    SEE_MESSAGES = "see_messages"
    REPLAY_MESSAGE = "replay_message"
    MANAGE_WEBHOOKS = "manage_webhooks"
    # who may come in, and what was done
    SEE_ACCOUNTS = "see_accounts"
    MANAGE_ACCOUNTS = "manage_accounts"
    SEE_KEYS = "see_keys"
    MANAGE_KEYS = "manage_keys"
    SEE_AUDIT = "see_audit"
    EXPORT_AUDIT = "export_audit"


@dataclass(frozen=True, slots=True)
class Rule:
    roles: frozenset[Role]
    scope: Scope | None = None
    """What a key needs besides; None: no key may, whatever the role says."""
    journaled: bool = True
    """Off only for looks at what holds nothing about a person."""


def _rule(*roles: Role, scope: Scope | None = None, journaled: bool = True) -> Rule:
    keys = {Role.INTEGRATOR} if scope else set()
    return Rule(frozenset(roles) | keys, scope, journaled)


_CLERK: Final = Role.WINDOW_CLERK
_OFFICER: Final = Role.CASE_OFFICER
_LEAD: Final = Role.HELPER_LEAD
_FLEET: Final = Role.FLEET_OPERATOR
_APPROVER: Final = Role.APPROVER
_AUDITOR: Final = Role.AUDITOR
_ADMIN: Final = Role.ADMINISTRATOR
_PEOPLE: Final = tuple(role for role in Role if role is not Role.INTEGRATOR)

MATRIX: Final[Mapping[Action, Rule]] = MappingProxyType(
    {
        Action.OWN_ACCOUNT: _rule(*_PEOPLE),
        Action.SEE_ACCESS: _rule(*_PEOPLE, journaled=False),
        Action.SEE_CASES: _rule(_CLERK, _OFFICER, _LEAD, _AUDITOR, scope=Scope.CASES_READ),
        Action.SEE_CASE: _rule(_CLERK, _OFFICER, _LEAD, _AUDITOR, scope=Scope.CASES_READ),
        Action.EXPORT_EVIDENCE: _rule(_OFFICER, _AUDITOR, scope=Scope.CASES_READ),
        Action.SEE_AUTHORISATION: _rule(_CLERK, _OFFICER, _LEAD, _AUDITOR, scope=Scope.CASES_READ),
        Action.AUTHORISE: _rule(_CLERK, _OFFICER, scope=Scope.CASES_WRITE),
        Action.CHANGE_AUTHORISATION: _rule(_CLERK, _OFFICER, scope=Scope.CASES_WRITE),
        Action.BOOK_SLOT: _rule(_CLERK, _OFFICER, scope=Scope.CASES_WRITE),
        Action.IMPORT_CASES: _rule(_CLERK, _OFFICER, scope=Scope.CASES_WRITE),
        Action.ENTRUST: _rule(_CLERK, _OFFICER, scope=Scope.CASES_WRITE),
        # What the window finds, what is asked for because of it; what becomes of the case is the officer's.
        Action.CHECK_CASE: _rule(_CLERK, _OFFICER, scope=Scope.CASES_WRITE),
        Action.DECIDE_CASE: _rule(_OFFICER, scope=Scope.CASES_WRITE),
        Action.REISSUE_CODE: _rule(_CLERK, _OFFICER, _LEAD),
        Action.SEE_ITEMS: _rule(_CLERK, _OFFICER, _LEAD, _AUDITOR, scope=Scope.ITEMS_READ),
        Action.SEE_ITEM: _rule(_CLERK, _OFFICER, _LEAD, _AUDITOR, scope=Scope.ITEMS_READ),
        Action.ANNOUNCE_ITEM: _rule(_CLERK, _OFFICER, scope=Scope.ITEMS_WRITE),
        # A label opens a vacant compartment only; the lead prints what a helper lost.
        Action.PRINT_LABEL: _rule(_CLERK, _OFFICER, _LEAD, scope=Scope.ITEMS_WRITE),
        Action.CHANGE_ITEM: _rule(_CLERK, _OFFICER, scope=Scope.ITEMS_WRITE),
        Action.SEE_CUSTODY: _rule(_CLERK, _OFFICER, _LEAD, _AUDITOR, scope=Scope.ITEMS_READ),
        Action.HAND_OVER: _rule(_CLERK, _LEAD),
        Action.STOCKTAKE: _rule(_LEAD),
        Action.RESOLVE_LOCKER: _rule(_LEAD, _FLEET),
        Action.SEE_PLACES: _rule(
            _CLERK, _OFFICER, _LEAD, _AUDITOR, _ADMIN, scope=Scope.ITEMS_READ, journaled=False
        ),
        Action.MANAGE_PLACES: _rule(_ADMIN),
        Action.SEE_TICKETS: _rule(_CLERK, _OFFICER, _LEAD, _FLEET, _AUDITOR, scope=Scope.TICKETS_READ),
        Action.OPEN_TICKET: _rule(_CLERK, _OFFICER, _LEAD, _FLEET, scope=Scope.TICKETS_WRITE),
        Action.WORK_TICKET: _rule(_CLERK, _OFFICER, _LEAD, _FLEET),
        Action.CLOSE_TICKET_UNSATISFIED: _rule(_LEAD),
        Action.PUBLISH_SOLUTION: _rule(_LEAD),
        # An applicant's word, passed on by the city's own page: nobody of the hall gives it for them.
        Action.RATE_VISIT: _rule(scope=Scope.TICKETS_WRITE),
        Action.SEE_RATINGS: _rule(_OFFICER, _LEAD, _AUDITOR, scope=Scope.TICKETS_READ),
        Action.SEE_LOCKERS: _rule(*_PEOPLE, scope=Scope.FLEET_READ, journaled=False),
        # Its doors tell which case lies where.
        Action.SEE_LOCKER: _rule(
            _CLERK, _OFFICER, _LEAD, _FLEET, _APPROVER, _AUDITOR, scope=Scope.FLEET_READ
        ),
        Action.SEE_LEDGER: _rule(_FLEET, _AUDITOR, scope=Scope.FLEET_READ),
        Action.ACKNOWLEDGE_ALARM: _rule(_LEAD, _FLEET),
        Action.DIRECT_LOCKER: _rule(_FLEET),
        Action.CONFIGURE_LOCKER: _rule(_FLEET),
        Action.SEE_SETTINGS: _rule(_FLEET, _AUDITOR, _ADMIN, scope=Scope.FLEET_READ, journaled=False),
        Action.CHANGE_SETTINGS: _rule(_FLEET, _ADMIN),
        Action.SEE_CERTIFICATES: _rule(_FLEET, _AUDITOR, _ADMIN),
        # A claim makes a locker of whoever holds it: by those who set them up, not who makes accounts.
        Action.MANAGE_CERTIFICATES: _rule(_FLEET),
        Action.SEE_CALENDAR: _rule(*_PEOPLE, scope=Scope.CASES_READ, journaled=False),
        Action.MANAGE_CALENDAR: _rule(_ADMIN),
        # Who asks is never one of the two who approve, whatever roles a person has.
        Action.ASK_REMOTE_OPEN: _rule(_FLEET, _LEAD),
        Action.APPROVE_REMOTE_OPEN: _rule(_APPROVER),
        Action.SEE_STAFF: _rule(_LEAD, _AUDITOR, _ADMIN),
        Action.ENROL_STAFF: _rule(_LEAD, scope=Scope.STAFF_WRITE),
        Action.REVOKE_STAFF: _rule(_LEAD, _ADMIN, scope=Scope.STAFF_WRITE),
        Action.SEE_FIGURES: _rule(*_PEOPLE, scope=Scope.FIGURES_READ, journaled=False),
        Action.SEE_MESSAGES: _rule(_LEAD, _AUDITOR, _ADMIN),
        Action.REPLAY_MESSAGE: _rule(_ADMIN),
        Action.MANAGE_WEBHOOKS: _rule(_ADMIN),
        Action.SEE_ACCOUNTS: _rule(_AUDITOR, _ADMIN),
        Action.MANAGE_ACCOUNTS: _rule(_ADMIN),
        Action.SEE_KEYS: _rule(_AUDITOR, _ADMIN),
        Action.MANAGE_KEYS: _rule(_ADMIN),
        Action.SEE_AUDIT: _rule(_AUDITOR),
        Action.EXPORT_AUDIT: _rule(_AUDITOR),
    }
)


def may(actor: Actor, action: Action) -> bool:
    """By the table alone; whose objects is asked elsewhere."""
    rule = MATRIX.get(action)
    if rule is None or not actor.roles & rule.roles:
        return False
    return actor.scopes is None or rule.scope in actor.scopes


def page() -> str:
    """The table as people read it: a row an action, a column a role; a key's scope stands in its cell."""
    head = "| action | " + " | ".join(role.replace("_", " ") for role in Role) + " |"
    lines = [head, "|---" * (len(Role) + 1) + "|"]
    for action, rule in MATRIX.items():
        cells = [_cell(rule, role) for role in Role]
        lines.append(f"| {action.replace('_', ' ')} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def _cell(rule: Rule, role: Role) -> str:
    if role not in rule.roles:
        return ""
    return f"`{rule.scope}`" if role is Role.INTEGRATOR else "●"
