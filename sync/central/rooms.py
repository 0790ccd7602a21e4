"""The hub's application: every room's routes and pages, put together in one place."""

from fastapi import FastAPI

from sync.central import api, document, metrics
from sync.central.access import api as access_api
from sync.central.acts import api as acts_api
from sync.central.authority import api as authority_api
from sync.central.bookings import api as bookings_api
from sync.central.complaints import api as complaints_api
from sync.central.console import views
from sync.central.custody import api as custody_api
from sync.central.desks import Desks
from sync.central.doors import api as doors_api
from sync.central.figures import api as figures_api
from sync.central.fleet import api as fleet_api
from sync.central.imports import api as imports_api
from sync.central.imports.doing import Imports
from sync.central.intake import api as intake_api
from sync.central.intake.counter import Counter
from sync.central.onward import api as onward_api
from sync.central.personal import pages as personal_pages
from sync.central.pickups import api as pickups_api
from sync.central.releases import api as releases_api
from sync.central.settings import api as settings_api
from sync.central.webhooks import api as webhooks_api
from sync.central.webhooks.subscriptions import Subscriptions
from sync.central.windows import api as windows_api
from sync.central.workdays import api as workdays_api


def application(desks: Desks, url: str, utc_offset_minutes: int) -> FastAPI:
    """API and console. ``url``: where browsers find them."""
    gate = desks.front.gate
    app = api.build(desks.office, gate, url, desks.health)
    metrics.add(app, desks.watch, gate, desks.health)
    acts_api.add(app, desks.acts, gate)
    doors_api.add(app, desks.office, gate)
    bookings_api.add(app, desks.office, gate)
    pickups_api.add(app, desks.office, gate)
    fleet_api.add(app, desks.office, desks.watch, gate)
    intake_api.add(app, Counter(desks.office), gate)
    onward_api.add(app, desks.office, gate)
    custody_api.add(app, desks.office, gate)
    windows_api.add(app, desks.office, gate)
    webhooks_api.add(app, Subscriptions(desks.office.store, desks.office.desk, desks.webhooks), gate)
    imports_api.add(app, Imports(desks.office), gate)
    access_api.add(app, desks.front, desks.means)
    complaints_api.add(app, desks.office, gate)
    figures_api.add(app, desks.office, gate)
    settings_api.add(app, desks.office, gate)
    workdays_api.add(app, desks.office, gate)
    authority_api.add(app, desks.office.store, desks.office.desk, desks.authority)
    releases_api.add(app, desks.office.desk, desks.releases)
    views.add(app, desks, utc_offset_minutes)
    personal_pages.add(app, desks.office.store, desks.office.desk, desks.watch, utc_offset_minutes)
    document.complete(app)
    return app
