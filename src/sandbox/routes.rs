//! The one table of routes: the router, the `Allow` header and the `OpenAPI` document's test all read it.

use super::collection::Collection;

/// The target of a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Account,
    List(Collection),
    Item(Collection),
}

/// A path and its methods; HEAD is included in GET.
#[derive(Debug, Clone, Copy)]
pub(super) struct Route {
    pub(super) path: &'static str,
    pub(super) place: Place,
    pub(super) methods: &'static [&'static str],
}

const LIST: &[&str] = &["GET", "HEAD", "POST"];
const ITEM: &[&str] = &["GET", "HEAD", "PATCH", "DELETE"];
const CLAIM: &[&str] = &["GET", "HEAD", "DELETE"];
const READ: &[&str] = &["GET", "HEAD"];

const fn route(path: &'static str, place: Place, methods: &'static [&'static str]) -> Route {
    Route { path, place, methods }
}

pub(super) const ROUTES: &[Route] = &[
    route("/v1/account", Place::Account, READ),
    route("/v1/numbers", Place::List(Collection::Numbers), LIST),
    route("/v1/numbers/{id}", Place::Item(Collection::Numbers), ITEM),
    route("/v1/users", Place::List(Collection::Users), LIST),
    route("/v1/users/{id}", Place::Item(Collection::Users), ITEM),
    route("/v1/devices", Place::List(Collection::Devices), LIST),
    route("/v1/devices/{id}", Place::Item(Collection::Devices), ITEM),
    route("/v1/ring_groups", Place::List(Collection::RingGroups), LIST),
    route("/v1/ring_groups/{id}", Place::Item(Collection::RingGroups), ITEM),
    route("/v1/receptionists", Place::List(Collection::Receptionists), LIST),
    route("/v1/receptionists/{id}", Place::Item(Collection::Receptionists), ITEM),
    route("/v1/conferences", Place::List(Collection::Conferences), LIST),
    route("/v1/conferences/{id}", Place::Item(Collection::Conferences), ITEM),
    route("/v1/bridges", Place::List(Collection::Bridges), LIST),
    route("/v1/bridges/{id}", Place::Item(Collection::Bridges), ITEM),
    route("/v1/locations", Place::List(Collection::Locations), LIST),
    route("/v1/locations/{id}", Place::Item(Collection::Locations), ITEM),
    route("/v1/owners", Place::List(Collection::Owners), LIST),
    route("/v1/owners/{id}", Place::Item(Collection::Owners), CLAIM),
    route("/v1/audit", Place::List(Collection::Audit), READ),
];

/// Every path and method, to compare an API description with the server.
pub fn operations() -> impl Iterator<Item = (&'static str, &'static str)> {
    ROUTES.iter().flat_map(|route| route.methods.iter().map(|method| (route.path, *method)))
}
